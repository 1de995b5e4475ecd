#include "media/image.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "media/golden_array.h"

namespace maquette::media {
namespace {

TEST(Image, quantises_as_diffusers_does) {
  const Tensor planes = read_golden("quantise_in");
  EXPECT_EQ(level_difference(image8_from_signed_tensor(planes), golden_image8("quantise_out")), 0);
  // The float form, quantised, is the same picture.
  EXPECT_EQ(level_difference(to_8bit(image_from_signed_tensor(planes)), golden_image8("quantise_out")), 0);
}

TEST(Image, all_levels_survive_the_float_form_and_the_network_border) {
  Image8 levels = Image8::zeros(16, 16, 3);
  for (size_t i = 0; i < levels.data().size(); ++i) levels.data()[i] = static_cast<uint8_t>(i / 3);
  EXPECT_EQ(level_difference(to_8bit(to_float(levels)), levels), 0);
  const Tensor network = to_signed_tensor(to_float(levels));
  EXPECT_EQ(network.shape().text(), "[1, 3, 16, 16]");
  EXPECT_EQ(network.data()[0], -1);
  EXPECT_EQ(network.data()[255], 1);
  EXPECT_EQ(level_difference(image8_from_signed_tensor(network), levels), 0);
}

TEST(Image, odd_values_stay_in_range) {
  Image image = Image::zeros(1, 4, 1);
  image.at(0, 0) = std::numeric_limits<float>::quiet_NaN();
  image.at(0, 1) = std::numeric_limits<float>::infinity();
  image.at(0, 2) = -3;
  image.at(0, 3) = 0.5f / 255.f;  // half way between 0 and 1: to even
  const Image8 levels = to_8bit(image);
  EXPECT_EQ(levels.at(0, 0), 0);
  EXPECT_EQ(levels.at(0, 1), 255);
  EXPECT_EQ(levels.at(0, 2), 0);
  EXPECT_EQ(levels.at(0, 3), 0);
}

TEST(Image, channels_convert) {
  Image8 pixel = Image8::zeros(1, 1, 4);
  pixel.at(0, 0, 0) = 255;
  pixel.at(0, 0, 3) = 128;
  EXPECT_EQ(to_grey(pixel).at(0, 0), 76);  // Pillow's convert("L") of (255, 0, 0)
  EXPECT_EQ(to_rgb(pixel).channels(), 3);
  EXPECT_EQ(to_rgb(to_grey(pixel)).at(0, 0, 2), 76);
  const Image over_white = flatten(to_float(pixel), 1, 1, 1);
  EXPECT_NEAR(over_white.at(0, 0, 1), 127 / 255.0, 1e-6);
  EXPECT_EQ(over_white.channels(), 3);
}

TEST(Image, wrong_shapes_are_refused) {
  EXPECT_THROW(Image(Tensor::zeros({4, 4, 2})), Error);
  EXPECT_THROW(Image(Tensor::zeros({4, 4})), Error);
  EXPECT_THROW(Image8(Tensor::zeros({4, 4, 3})), Error);
  EXPECT_THROW(crop(Image::zeros(4, 4, 3), 1, 1, 4, 2), Error);
  EXPECT_THROW(image8_from_signed_tensor(Tensor::zeros({1, 4, 8, 8})), Error);
  EXPECT_THROW(image8_from_signed_tensor(Tensor::zeros({1, 3, 8, 8}), 1), Error);
}

}  // namespace
}  // namespace maquette::media
