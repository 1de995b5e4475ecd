// What other programs read out of these files is seen by tools/check_delivery.
#include "media/pdf/pdf_sheets.h"

#include <fstream>
#include <gtest/gtest.h>

#include "media/pdf/pdf_document.h"

namespace maquette::media {
namespace {

Image8 flat(int64_t height, int64_t width) {
  Image8 image = Image8::zeros(height, width, 3);
  for (size_t i = 0; i < image.data().size(); ++i) image.data()[i] = static_cast<uint8_t>(i % 200);
  return image;
}

size_t count(const std::string& text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

size_t pages(const std::string& pdf) { return count(pdf, "/Type /Page\n"); }

ReviewPdf review(size_t notes) {
  ReviewPdf sheet{.options = {.title = "Séquence 010"}};
  sheet.pictures.push_back({.picture = flat(40, 60), .caption = {.title = "sh010 v003"}});
  for (size_t i = 0; i < notes; ++i) {
    sheet.pictures[0].notes.push_back({.author = "Zoë",
                                       .when = "2026-11-23",
                                       .verdict = "Retake",
                                       .text = "The lantern is too bright; mettre le réverbère à gauche.",
                                       .drawings = {{.points = {{0.1, 0.1}, {0.5, 0.4}, {1.2, -0.3}}}}});
  }
  return sheet;
}

TEST(PdfSheets, ContactSheetsFillPages) {
  ContactPdf sheet{.options = {.title = "Lanterns"}, .columns = 3, .rows = 2};
  for (int i = 0; i < 13; ++i)
    sheet.pictures.push_back({.picture = flat(30 + i, 40), .caption = {.title = fmt::format("take {}", i)}});
  const std::string pdf = contact_sheet_pdf(sheet);
  EXPECT_TRUE(pdf.starts_with("%PDF-1."));
  EXPECT_EQ(pages(pdf), 3u);
  EXPECT_EQ(count(pdf, "/Subtype /Image"), 13u);
  EXPECT_EQ(pdf, contact_sheet_pdf(sheet));
}

TEST(PdfSheets, LongReviewsGoOn) {
  EXPECT_EQ(pages(review_sheet_pdf(review(3))), 1u);
  EXPECT_GT(pages(review_sheet_pdf(review(60))), 1u);
}

TEST(PdfSheets, OddInputIsDrawnAsWellAsItCanBe) {
  ReviewPdf sheet = review(1);
  PdfNote& note = sheet.pictures[0].notes[0];
  note.text = "漢字 \xff\x01 🏮 " + std::string(9'000, 'x') + "\n\n\nend";
  note.drawings.push_back({.points = {}});
  note.drawings.push_back({.points = {{std::nan(""), 1e300}}, .width = -4});
  sheet.pictures[0].picture = Image8::zeros(1, 5000, 4);
  EXPECT_TRUE(review_sheet_pdf(sheet).starts_with("%PDF"));
}

TEST(PdfSheets, MistakesAreRefused) {
  EXPECT_THROW(contact_sheet_pdf({}), Error);
  EXPECT_THROW(review_sheet_pdf({}), Error);
  EXPECT_THROW(contact_sheet_pdf({.columns = 0, .pictures = {{.picture = flat(2, 2)}}}), Error);
}

TEST(PdfDocument, WrapsAtSpacesAndInsideLongWords) {
  const PdfDocument pdf;
  const double width = pdf.text_width("one two", 10);
  EXPECT_EQ(pdf.wrap("one two three", 10, width, 9), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(pdf.wrap("one\ntwo", 10, width, 9), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(pdf.wrap("one two three four", 10, width, 1), (std::vector<std::string>{"one two..."}));
  std::string joined;
  for (const std::string& line : pdf.wrap("éééééééééééééééééééé", 10, width, 9)) {
    EXPECT_LE(pdf.text_width(line, 10), width);
    joined += line;
  }
  EXPECT_EQ(joined, "éééééééééééééééééééé");
  EXPECT_LE(pdf.wrap("wide", 10, 0.1, 3).size(), 3u);
}

// The most memory that this process has had, in bytes.
uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

// 200 pictures of 12 MB each.
TEST(ReviewSheets, ReadOnePictureAtATime) {
  ReviewPdf review;
  for (int i = 0; i < 200; ++i)
    review.pictures.push_back({.read = [] { return Image8::zeros(2000, 2000, 3); }});
  const uint64_t before = peak_memory();
  EXPECT_TRUE(review_sheet_pdf(review).starts_with("%PDF"));
  EXPECT_LT(peak_memory() - before, uint64_t{300} << 20);
}

}  // namespace
}  // namespace maquette::media
