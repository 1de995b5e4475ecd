// Sheets to print or to send: proposals side by side, and a review with its notes and drawings.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "media/image.h"

namespace maquette::media {

enum class Paper { a4, a3, letter };  // always landscape

struct PdfOptions {
  std::string title = {};     // UTF-8; at the top of every page
  std::string subtitle = {};  // below it, smaller
  std::string footer = {};    // at the bottom left; the page's number is at the right
  Paper paper = Paper::a4;
  int picture_quality = 90;         // JPEG, 1 to 100
  int largest_picture_side = 2048;  // pixels; larger pictures are reduced
};

struct PdfCaption {
  std::string title = {};               // "sh010 v003 t02"
  std::vector<std::string> lines = {};  // smaller; wrapped
};

struct ContactPdfPicture {
  Image8 picture;
  PdfCaption caption = {};
};

struct ContactPdf {
  PdfOptions options = {};
  int columns = 4;  // pictures beside each other, 1 to 12
  int rows = 3;     // and below each other, 1 to 12
  std::vector<ContactPdfPicture> pictures = {};
};

// A line drawn on the picture. Points are fractions of its width and height, and may lie outside 0 to 1; the
// width is a fraction of its longer side.
struct PdfDrawing {
  std::vector<std::array<double, 2>> points = {};
  std::array<float, 3> color = {1, 0.2f, 0.2f};  // sRGB, 0 to 1
  double width = 0.004;
};

struct PdfNote {
  std::string author = {};
  std::string when = {};
  std::string verdict = {};  // "Retake", "Approved", ...
  std::string text = {};
  std::vector<PdfDrawing> drawings = {};
};

struct ReviewPdfPicture {
  Image8 picture = {};
  std::function<Image8()> read =
      {};  // in place of `picture`: called for its page, so that one at a time is in memory
  PdfCaption caption = {};
  std::vector<PdfNote> notes =
      {};  // numbered in this order; a number stands where a note's first drawing begins
};

struct ReviewPdf {
  PdfOptions options = {};
  std::vector<ReviewPdfPicture> pictures = {};  // one page each, and more where the notes are longer
};

// The bytes of the PDF file. Lettering is embedded (DejaVu Sans: Latin, Greek, Cyrillic, Hebrew and Arabic
// letters without their joining, many signs; what it lacks, Chinese and Japanese for instance, shows as a
// box). Equal input gives equal bytes: no dates are written. Throws Error(usage) for more than 2,000 pictures
// or grids out of range.
std::string contact_sheet_pdf(const ContactPdf& sheet);
std::string review_sheet_pdf(const ReviewPdf& sheet);

}  // namespace maquette::media
