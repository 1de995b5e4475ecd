// A PDF file in the making: pages, text, pictures and lines. The one place that knows libharu.
//
// Units are points (1/72 inch) from the page's upper left corner, y down, as screens count; libharu counts y
// upwards.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "media/image.h"

namespace maquette::media {

using PdfColor = std::array<float, 3>;
inline constexpr PdfColor kPdfBlack = {0, 0, 0};
inline constexpr PdfColor kPdfGrey = {0.4f, 0.4f, 0.4f};
inline constexpr PdfColor kPdfWhite = {1, 1, 1};

struct PdfBox {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

struct PdfText {
  double size = 10;
  PdfColor color = kPdfBlack;
};

class PdfDocument {
 public:
  PdfDocument();
  ~PdfDocument();
  PdfDocument(const PdfDocument&) = delete;
  PdfDocument& operator=(const PdfDocument&) = delete;

  void add_page(double width, double height);

  double text_width(std::string_view utf8, double size) const;
  // One line; what is no character the font can hold becomes a box or a space.
  void draw_text(std::string_view utf8, double x, double baseline, const PdfText& style);
  // Breaks at line feeds, at spaces, and inside words that are longer than a line. More than `lines` are cut
  // off with
  // "...".
  std::vector<std::string> wrap(std::string_view utf8, double size, double width, size_t lines) const;

  // The picture fills the box.
  void draw_picture(const Image8& picture, const PdfBox& box, int quality);
  struct Stroke {
    PdfColor color = kPdfBlack;
    double width = 1;
  };
  // A line with round ends and corners; one point is a dot.
  void draw_line(const std::vector<std::array<double, 2>>& points, const Stroke& stroke);
  void fill_circle(double x, double y, double radius, const PdfColor& color);
  void outline(const PdfBox& box, const Stroke& stroke);
  // What is drawn until `unclip` shows inside the box only.
  void clip(const PdfBox& box);
  void unclip();

  std::string take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace maquette::media
