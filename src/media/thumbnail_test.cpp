#include "media/thumbnail.h"

#include <gtest/gtest.h>

namespace maquette::media {
namespace {

Image8 noise(int64_t height, int64_t width, int64_t channels) {
  Image8 image = Image8::zeros(height, width, channels);
  uint32_t state = 7;
  for (uint8_t& value : image.data())
    value = static_cast<uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  return image;
}

TEST(Thumbnail, FlatColoursStayAsTheyAre) {
  for (int level = 0; level < 256; ++level) {
    Image8 flat = Image8::zeros(10, 13, 3);
    std::ranges::fill(flat.data(), static_cast<uint8_t>(level));
    const Image8 small = reduce_area(flat, 3, 4, 0);
    for (const uint8_t value : small.data()) EXPECT_EQ(value, level);
  }
}

// A fine chequer of black and white reflects half the light: level 188, not 128.
TEST(Thumbnail, LightIsAveragedNotLevels) {
  Image8 chequer = Image8::zeros(8, 8, 1);
  for (int64_t y = 0; y < 8; ++y) {
    for (int64_t x = 0; x < 8; ++x) chequer.at(y, x) = (x + y) % 2 == 0 ? 255 : 0;
  }
  const Image8 small = reduce_area(chequer, 2, 2, 0);
  for (const uint8_t value : small.data()) EXPECT_EQ(value, 188);
}

TEST(Thumbnail, SharesOfPixelsCount) {
  Image8 row = Image8::zeros(1, 3, 1);
  row.at(0, 0) = 255;
  const Image8 small = reduce_area(row, 1, 2, 0);
  EXPECT_EQ(small.at(0, 0), 213);  // two thirds of the light
  EXPECT_EQ(small.at(0, 1), 0);
}

TEST(Thumbnail, TransparencyShowsTheBackground) {
  Image8 clear = Image8::zeros(4, 4, 4);
  const Image8 small = reduce_area(clear, 2, 2, 60);
  EXPECT_EQ(small.channels(), 3);
  for (const uint8_t value : small.data()) EXPECT_EQ(value, 60);
}

TEST(Thumbnail, SizesKeepTheirProportions) {
  const Thumbnail wide = make_thumbnail(noise(100, 800, 3));
  EXPECT_EQ(wide.width, 384);
  EXPECT_EQ(wide.height, 48);
  EXPECT_EQ(wide.full_width, 800);
  const Image8 back = decode_image8(as_bytes(wide.jpeg)).take();
  EXPECT_EQ(back.width(), 384);
  const Thumbnail small = make_thumbnail(noise(5, 7, 3));
  EXPECT_EQ(small.width, 7);
  EXPECT_EQ(make_thumbnail(noise(2000, 1, 1)).width, 1);
  EXPECT_THROW(make_thumbnail(noise(5, 7, 3), {.longest_side = 0}), Error);
}

TEST(Thumbnail, FilesOfAllKinds) {
  for (const int64_t channels : {1, 3, 4}) {
    for (const int bits : {8, 16}) {
      const std::string file =
          encode_image(to_float(noise(40, 50, channels)), ImageFormat::png, {.bits = bits});
      EXPECT_EQ(make_thumbnail(as_bytes(file), {.longest_side = 20}).take().height, 16);
    }
  }
  EXPECT_FALSE(make_thumbnail(as_bytes("no picture")));
  const std::string file = encode_image(to_float(noise(40, 50, 3)), ImageFormat::png);
  EXPECT_FALSE(make_thumbnail(as_bytes(file), {}, {.limits = {.side = 45}}));
}

TEST(Thumbnail, EightBitsAreReadAsFloatsAre) {
  for (const int64_t channels : {1, 3, 4}) {
    const Image picture = to_float(noise(21, 34, channels));
    for (const ImageFormat format :
         {ImageFormat::png, ImageFormat::tiff, ImageFormat::webp, ImageFormat::jpeg}) {
      if (channels == 4 && format == ImageFormat::jpeg) continue;
      const std::string file = encode_image(picture, format);
      const Image8 plain = decode_image8(as_bytes(file)).take();
      const Image8 through_float = to_8bit(decode_image(as_bytes(file)).take());
      EXPECT_TRUE(std::ranges::equal(plain.data(), through_float.data())) << name(format) << channels;
    }
  }
}

TEST(Thumbnail, SixteenBitsAreRoundedAsFloatsAre) {
  Image every = Image::zeros(256, 256, 1);
  for (size_t i = 0; i < every.data().size(); ++i) every.data()[i] = static_cast<float>(i) / 65535.f;
  for (const ImageFormat format : {ImageFormat::png, ImageFormat::tiff}) {
    const std::string file = encode_image(every, format, {.bits = 16});
    const Image8 plain = decode_image8(as_bytes(file)).take();
    const Image8 through_float = to_8bit(decode_image(as_bytes(file)).take());
    EXPECT_TRUE(std::ranges::equal(plain.data(), through_float.data())) << name(format);
  }
}

}  // namespace
}  // namespace maquette::media
