#include "media/preprocess.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/json.h"
#include "media/golden_array.h"

namespace maquette::media {
namespace {

TEST(Canny, equals_opencv_pixel_by_pixel) {
  const Json cases = parse_json(read_text_file(golden_path("edges.json")).take(), "edges.json").take();
  ASSERT_GE(cases.size(), 20u);
  for (const Json& item : cases) {
    const Image8 source = golden_image8(fmt::format("edges_{}", item["seed"].get<int>()));
    const Image8 edges = canny(source, {.low = item["low"].get<double>(),
                                        .high = item["high"].get<double>(),
                                        .per_channel = item["per_channel"].get<bool>()});
    EXPECT_EQ(sha256_hex(std::as_bytes(edges.data())), item["sha256"].get<std::string>()) << item.dump();
  }
}

// A dark cross on a light ground, and light noise that must not become lines.
Image8 drawing() {
  Image8 image = Image8::zeros(64, 64, 3);
  std::ranges::fill(image.data(), uint8_t{220});
  for (int64_t i = 8; i < 56; ++i) {
    for (int64_t c = 0; c < 3; ++c) image.at(32, i, c) = image.at(i, 32, c) = 30;
  }
  for (size_t i = 0; i < image.data().size(); i += 7)
    image.data()[i] = static_cast<uint8_t>(image.data()[i] + 1);
  return image;
}

TEST(LineArt, draws_dark_lines_and_nothing_else) {
  const Image8 lines = line_art(drawing());
  EXPECT_GT(lines.at(32, 20), 200);
  EXPECT_GT(lines.at(12, 32), 200);
  EXPECT_LT(lines.at(10, 10), 5);
  EXPECT_LT(lines.at(50, 50), 5);
  const Image8 flat = line_art(Image8::zeros(16, 16, 3));
  EXPECT_LT(*std::ranges::max_element(flat.data()), 5);
}

TEST(Scribble, is_bold_and_black_and_white) {
  Image8 image = Image8::zeros(96, 96, 3);
  for (int64_t y = 24; y < 72; ++y) {
    for (int64_t x = 24; x < 72; ++x) image.at(y, x, 0) = image.at(y, x, 1) = 200;
  }
  const Image8 strokes = scribble(image, {.detail = 2, .thickness = 5});
  int64_t white = 0;
  for (const uint8_t v : strokes.data()) {
    EXPECT_TRUE(v == 0 || v == 255);
    white += v == 255;
  }
  // The outline of a 48-pixel square, about 5 thick, less its rounded corners.
  EXPECT_GT(white, 4 * 48 * 3);
  EXPECT_LT(white, 4 * 48 * 7);
  EXPECT_EQ(strokes.at(48, 48), 0);
  EXPECT_EQ(strokes.at(5, 5), 0);
}

TEST(InvertColours, keeps_alpha) {
  Image8 image = Image8::zeros(2, 2, 4);
  image.at(0, 0, 3) = 90;
  const Image8 negative = invert_colours(image);
  EXPECT_EQ(negative.at(0, 0, 0), 255);
  EXPECT_EQ(negative.at(0, 0, 3), 90);
}

}  // namespace
}  // namespace maquette::media
