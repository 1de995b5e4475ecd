// Text in pictures: a small alphabet of our own, drawn as pen strokes, so that lettering needs no font file
// and looks the same everywhere. Covers ASCII, the accented letters of most European languages and a few
// signs; any other character shows as an empty box.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "media/image.h"

namespace maquette::media {

// Width of one line in pixels. Sizes are em heights in pixels, as fonts give them: capitals are 0.72 of it.
double text_width(std::string_view utf8, double size);

struct Pen {
  double x = 0;         // left end of the text
  double baseline = 0;  // y
  double size = 16;
  float grey = 1;  // of the ink, 0 to 1
};
// Draws one line, anti-aliased, over what is there; what leaves the picture is cut off.
void draw_text(Image& image, std::string_view utf8, const Pen& pen);

struct LineLimits {
  double size = 16;  // em height
  double width = 0;  // pixels
  size_t lines = 1;
};
// Breaks text at line feeds, at spaces, and inside words that are longer than a line. What does not fit is
// cut off with "...".
std::vector<std::string> wrap_text(std::string_view utf8, const LineLimits& limits);

}  // namespace maquette::media
