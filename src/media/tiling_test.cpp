#include "media/tiling.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numbers>
#include <random>

#include "media/golden_array.h"

namespace maquette::media {
namespace {

// A sum of random waves of whole periods, so that it repeats in both directions; `stretch_x` above 1 makes it
// end somewhere else along x.
Image8 waves(int64_t size, double stretch_x, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> phase(0, 2 * std::numbers::pi);
  std::vector<double> field(static_cast<size_t>(size * size), 0.0);
  for (int u = 1; u <= 9; ++u) {
    for (int v = -9; v <= 9; ++v) {
      const double p = phase(random);
      const double amplitude = 1.0 / (1 + u * u + v * v);
      for (int64_t y = 0; y < size; ++y) {
        for (int64_t x = 0; x < size; ++x) {
          const double angle =
              2 * std::numbers::pi * (u * stretch_x * double(x) + v * double(y)) / double(size) + p;
          field[static_cast<size_t>(y * size + x)] += amplitude * std::cos(angle);
        }
      }
    }
  }
  Image8 image = Image8::zeros(size, size, 3);
  for (size_t i = 0; i < image.data().size(); ++i) {
    image.data()[i] = static_cast<uint8_t>(std::clamp(128 + 60 * field[i / 3], 0.0, 255.0));
  }
  return image;
}

TEST(TilingSeam, periodic_pictures_are_at_one) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const TilingSeam seam = tiling_seam(waves(64, 1, seed));
    EXPECT_NEAR(seam.x.ratio, 1, 0.5) << seed;
    EXPECT_GT(seam.x.rank, 0) << seed;
    EXPECT_NEAR(seam.y.ratio, 1, 0.5) << seed;
    EXPECT_GT(seam.y.rank, 0) << seed;
  }
}

TEST(TilingSeam, an_axis_that_does_not_repeat_stands_out_alone) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const TilingSeam seam = tiling_seam(waves(64, 1.5, seed));
    EXPECT_GT(seam.x.ratio, 2) << seed;
    EXPECT_EQ(seam.x.rank, 0) << seed;
    EXPECT_LT(seam.y.ratio, 1.5) << seed;
  }
}

TEST(TilingSeam, a_gradient_and_a_picture_fail) {
  Image8 sky = Image8::zeros(64, 64, 3);
  for (int64_t y = 0; y < 64; ++y) std::ranges::fill(sky.row(y), static_cast<uint8_t>(60 + 2 * y));
  EXPECT_GT(tiling_seam(sky).y.ratio, 20);
  EXPECT_NEAR(tiling_seam(sky).x.ratio, 1, 1e-9);
  const TilingSeam painted = tiling_seam(golden_image8("resize/source_3"));
  EXPECT_GT(std::max(painted.x.ratio, painted.y.ratio), 3);
}

// Detail of the motif that happens to lie on the border is no seam.
TEST(TilingSeam, an_edge_on_the_border_is_not_a_seam) {
  Image8 texture = Image8::zeros(64, 64, 3);
  for (int64_t y = 0; y < 64; ++y) {
    for (int64_t x = 0; x < 64; ++x) {
      const int64_t from_border = std::min(x, 63 - x);  // a soft ridge across the left and right border
      const auto level = static_cast<uint8_t>(90 + 100 / (1 + from_border * from_border / 6) + x % 2);
      for (int64_t c = 0; c < 3; ++c) texture.at(y, x, c) = level;
    }
  }
  EXPECT_LT(tiling_seam(roll(texture, 0, 1)).x.ratio, 1.5);
  EXPECT_LT(tiling_seam(roll(texture, 0, 32)).x.ratio, 1.5);
}

TEST(TilingSeam, flat_pictures_are_seamless) {
  const TilingSeam seam = tiling_seam(Image8::zeros(8, 8, 3));
  EXPECT_EQ(seam.x.ratio, 1);
  EXPECT_EQ(seam.y.ratio, 1);
  EXPECT_THROW(tiling_seam(Image8::zeros(2, 8, 3)), Error);
}

// Rolling a seamless texture moves its border to another place, which must be as good.
TEST(TilingSeam, rolling_keeps_a_texture_seamless_and_shows_a_seam_inside) {
  const Image8 texture = waves(64, 1, 3);
  EXPECT_NEAR(tiling_seam(roll(texture, 20, -11)).x.ratio, 1, 0.5);
  EXPECT_EQ(level_difference(roll(roll(texture, 5, 7), -5, -7), texture), 0);
  EXPECT_LT(tiling_seam(roll(waves(64, 1.5, 3), 0, 32)).x.ratio, 1.5) << "the seam is inside now";
}

}  // namespace
}  // namespace maquette::media
