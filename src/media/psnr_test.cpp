#include "media/psnr.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace maquette::media {
namespace {

TEST(Psnr, known_values) {
  const Image8 black = Image8::zeros(10, 10, 3);
  Image8 other = black.clone();
  EXPECT_TRUE(std::isinf(psnr(black, other)));
  std::ranges::fill(other.data(), uint8_t{255});
  EXPECT_DOUBLE_EQ(psnr(black, other), 0);
  std::ranges::fill(other.data(), uint8_t{1});
  EXPECT_NEAR(psnr(black, other), 48.1308, 1e-4);  // 20 log10(255)
  other.at(3, 4, 1) = 9;
  EXPECT_EQ(max_difference(black, other), 9);
  EXPECT_THROW(psnr(black, Image8::zeros(10, 10, 1)), Error);
}

}  // namespace
}  // namespace maquette::media
