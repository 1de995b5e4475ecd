// The parts of Canny's edge finder that several preprocessors use.
#pragma once

#include <vector>

#include "media/image.h"

namespace maquette::media {

// Sobel derivatives of one channel, or at each pixel of the channel where |dx| + |dy| is largest; the border
// is repeated. All three are [H, W], row by row.
struct Gradients {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<int> dx;
  std::vector<int> dy;
  std::vector<int> magnitude;  // |dx| + |dy|
};
Gradients sobel(const Image8& image);

// Thin edges (255 on 0): ridges of the magnitude above `low` that are connected to one above `high`.
Image8 trace_edges(const Gradients& gradients, int low, int high);

// OpenCV's RGB to grey, whose weights differ from Pillow's in the last place.
Image8 opencv_grey(const Image8& image);

}  // namespace maquette::media
