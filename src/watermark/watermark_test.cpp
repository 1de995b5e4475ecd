#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "media/psnr.h"
#include "watermark/dwt_dct.h"
#include "watermark/known_marks.h"

namespace maquette::watermark {
namespace {

// A sky over a hill with some grain: values from 0.1 to 0.9, the same for the same seed.
media::Image scene(int64_t height, int64_t width, int64_t channels = 3, unsigned seed = 1) {
  media::Image picture = media::Image::zeros(height, width, channels);
  std::mt19937 random(seed);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const double hill = 0.6 * static_cast<double>(height) + 30 * std::sin(static_cast<double>(x) / 40);
      for (int64_t c = 0; c < channels; ++c) {
        const double sky = 0.4 + 0.15 * static_cast<double>(c) - 0.2 * static_cast<double>(y) / 400;
        const double grain = static_cast<double>(random() % 1000) / 1000 * 0.06;
        const double value =
            (static_cast<double>(y) > hill ? 0.25 - 0.05 * static_cast<double>(c) : sky) + grain;
        picture.at(y, x, c) = static_cast<float>(std::clamp(value, 0.1, 0.9));
      }
    }
  return picture;
}

media::Image filled(float red, float green, float blue) {
  media::Image picture = media::Image::zeros(256, 256, 3);
  for (int64_t i = 0; i < 256 * 256; ++i) {
    picture.data()[static_cast<size_t>(3 * i)] = red;
    picture.data()[static_cast<size_t>(3 * i + 1)] = green;
    picture.data()[static_cast<size_t>(3 * i + 2)] = blue;
  }
  return picture;
}

Bits read(const media::Image& picture, size_t length) {
  return majority(read_blocks(media::to_8bit(picture)), length).bits;
}

TEST(Watermark, bits_are_bytes_with_the_highest_bit_first) {
  const Bits bits = bits_of("SD");
  EXPECT_EQ(bits, Bits({0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(bytes_of(bits), "SD");
}

TEST(Watermark, every_block_says_its_bit) {
  const Bits bits = bits_of("maquette 0123456");
  // Sizes that are no multiples of a block, too.
  for (const auto& [height, width] : {std::pair{256, 256}, {301, 515}, {517, 258}}) {
    const media::Image picture = scene(height, width);
    const media::Image marked = add_dwt_dct(picture, bits);
    const Reading reading = majority(read_blocks(media::to_8bit(marked)), bits.size());
    EXPECT_EQ(bytes_of(reading.bits), "maquette 0123456");
    EXPECT_GT(reading.agreement, 0.999) << height << " x " << width;
    EXPECT_GT(media::psnr(media::to_8bit(picture), media::to_8bit(marked)), 35);
    EXPECT_EQ(media::psnr(media::to_8bit(marked), media::to_8bit(add_dwt_dct(picture, bits))), INFINITY);
  }
}

// At the corners of the colours there is no room in one direction; the luma has to give way.
TEST(Watermark, flat_colours_keep_it) {
  const Bits bits = bits_of("Maquette");
  for (const auto& [red, green, blue] : {std::array{1.F, 1.F, 1.F},
                                         {0.F, 0.F, 0.F},
                                         {0.5F, 0.5F, 0.5F},
                                         {1.F, 0.F, 0.F},
                                         {0.F, 1.F, 0.F},
                                         {1.F, 1.F, 0.F},
                                         {0.2F, 0.9F, 0.6F}})
    EXPECT_EQ(bytes_of(read(add_dwt_dct(filled(red, green, blue), bits), bits.size())), "Maquette")
        << red << " " << green << " " << blue;
}

TEST(Watermark, alpha_is_kept_and_grey_becomes_rgb) {
  const media::Image picture = scene(256, 256, 4);
  const media::Image marked = add_dwt_dct(picture, bits_of("Maquette"));
  ASSERT_EQ(marked.channels(), 4);
  for (int64_t x = 0; x < 256; ++x) EXPECT_EQ(marked.at(17, x, 3), picture.at(17, x, 3));
  const media::Image grey = add_dwt_dct(scene(256, 256, 1), bits_of("Maquette"));
  EXPECT_EQ(grey.channels(), 3);
  EXPECT_EQ(bytes_of(read(grey, 64)), "Maquette");
}

TEST(Watermark, known_marks_are_recognised_and_nothing_else) {
  for (const KnownMark& mark : known_marks()) {
    const auto found = recognise(media::to_8bit(add_dwt_dct(scene(256, 320), mark.bits)));
    ASSERT_EQ(found.size(), 1U) << mark.name;
    EXPECT_EQ(found[0].name, mark.name);
    EXPECT_EQ(found[0].matching, mark.bits.size());
  }
  EXPECT_TRUE(recognise(media::to_8bit(add_dwt_dct(scene(256, 320), bits_of("somebody")))).empty());
  for (unsigned seed = 2; seed < 8; ++seed)
    EXPECT_TRUE(recognise(media::to_8bit(scene(256, 320, 3, seed))).empty()) << seed;
  EXPECT_TRUE(recognise(media::to_8bit(filled(1, 1, 1))).empty());
  EXPECT_TRUE(recognise(media::Image8::zeros(8, 8, 3)).empty());
}

TEST(Watermark, chances_are_those_of_coins) {
  EXPECT_NEAR(chance_of(0, 10), 1, 1e-12);
  EXPECT_NEAR(chance_of(10, 10), 1.0 / 1024, 1e-12);
  EXPECT_NEAR(chance_of(9, 10), 11.0 / 1024, 1e-12);
  EXPECT_NEAR(chance_of(47, 48) * std::pow(2.0, 48), 49, 1e-6);
}

TEST(Watermark, what_cannot_be_done_is_refused) {
  EXPECT_THROW(add_dwt_dct(scene(255, 256), bits_of("Maquette")), Error);
  EXPECT_THROW(add_dwt_dct(scene(256, 256), {}), Error);
  EXPECT_THROW(add_dwt_dct(scene(256, 256), Bits(257)), Error);
  EXPECT_THROW(add_dwt_dct(scene(7, 40000, 1), bits_of("Maquette")), Error);  // no block at all
  EXPECT_THROW(majority({1, 0, 1}, 4), Error);
  EXPECT_THROW(majority({1, 0, 1}, 0), Error);
}

}  // namespace
}  // namespace maquette::watermark
