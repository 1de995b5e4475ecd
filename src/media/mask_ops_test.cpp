#include "media/mask_ops.h"

#include <cmath>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/json.h"
#include "media/golden_array.h"

namespace maquette::media {
namespace {

Image box_mask(int64_t height, int64_t width, const Region& box) {
  Image mask = Image::zeros(height, width, 1);
  for (int64_t y = box.top; y < box.bottom; ++y) {
    for (int64_t x = box.left; x < box.right; ++x) mask.at(y, x) = 1;
  }
  return mask;
}

TEST(GaussianBlur, equals_opencv_level_by_level) {
  const Json cases = parse_json(read_text_file(golden_path("blur.json")).take(), "blur.json").take();
  ASSERT_GE(cases.size(), 12u);
  for (const Json& item : cases) {
    const Image8 source = golden_image8(item["source"].get<std::string>());
    const Image8 result = gaussian_blur(source, item["sigma_x"].get<double>(), item["sigma_y"].get<double>());
    EXPECT_EQ(sha256_hex(std::as_bytes(result.data())), item["sha256"].get<std::string>()) << item.dump();
  }
}

TEST(GaussianBlur, floats_agree_with_8_bits) {
  const Image8 source = golden_image8("mask");
  const Image soft = gaussian_blur(to_float(source), 4, 4);
  EXPECT_LE(level_difference(to_8bit(soft), gaussian_blur(source, 4, 4)), 2);
}

TEST(Morphology, a_point_grows_to_a_disc) {
  Image mask = Image::zeros(21, 21, 1);
  mask.at(10, 10) = 0.75f;
  const Image grown = dilate(mask, 5);
  for (int64_t y = 0; y < 21; ++y) {
    for (int64_t x = 0; x < 21; ++x) {
      const bool near = (y - 10) * (y - 10) + (x - 10) * (x - 10) <= 25;
      EXPECT_EQ(grown.at(y, x), near ? 0.75f : 0.f) << x << ", " << y;
    }
  }
}

TEST(Morphology, closing_and_opening_are_in_order) {
  const Image mask = to_float(golden_image8("mask"));
  for (const int radius : {0, 1, 4, 100}) {
    const Image closed = erode(dilate(mask, radius), radius);
    const Image opened = dilate(erode(mask, radius), radius);
    for (size_t i = 0; i < mask.data().size(); ++i) {
      EXPECT_GE(closed.data()[i], mask.data()[i]);
      EXPECT_LE(opened.data()[i], mask.data()[i]);
    }
  }
  EXPECT_EQ(grow(mask, 3).pixels.data()[0], dilate(mask, 3).pixels.data()[0]);
  // A mask over everything touches the border and must not shrink away from it.
  const Image all = box_mask(8, 8, {0, 0, 8, 8});
  EXPECT_TRUE(std::ranges::equal(erode(all, 3).data(), all.data()));
}

TEST(Morphology, distances_are_exact) {
  const Image distance = distance_to(to_float(golden_image8("mask")));
  EXPECT_LT(relative_error(distance.pixels, golden_image("mask_distance").pixels), 1e-6);
  EXPECT_TRUE(std::isinf(distance_to(Image::zeros(3, 3, 1)).at(1, 1)));
}

TEST(Feather, keeps_its_side) {
  const Image mask = box_mask(40, 40, {10, 10, 30, 30});
  const Image both = feather(mask, 4);
  const Image inside = feather(mask, 4, FeatherSide::inside);
  const Image outside = feather(mask, 4, FeatherSide::outside);
  for (size_t i = 0; i < mask.data().size(); ++i) {
    EXPECT_LE(inside.data()[i], mask.data()[i]);
    EXPECT_GE(outside.data()[i], mask.data()[i]);
  }
  EXPECT_NEAR(both.at(20, 9) + both.at(20, 10), 1, 1e-6);  // the edge lies between them
  EXPECT_EQ(both.at(20, 20), 1);
  EXPECT_EQ(both.at(20, 2), 0);
  EXPECT_GT(both.at(20, 8), 0);
  EXPECT_TRUE(std::ranges::equal(feather(mask, 0).data(), mask.data()));
}

TEST(Region, box_and_padding_stay_in_the_picture) {
  const Image mask = box_mask(50, 60, {5, 20, 15, 30});
  EXPECT_EQ(mask_region(mask), (Region{5, 20, 15, 30}));
  EXPECT_EQ(mask_region(mask, 8), (Region{0, 12, 23, 38}));
  EXPECT_FALSE(mask_region(Image::zeros(5, 5, 1), 3));
}

// Worked by hand from the rule: 20 x 10 into 1:1 asks for a height of 20, ten more, five on each side.
TEST(Region, expands_to_proportions) {
  EXPECT_EQ(expand_to_proportions({20, 20, 40, 30}, {512, 512}, 100, 100), (Region{20, 15, 40, 35}));
  EXPECT_EQ(expand_to_proportions({20, 0, 40, 10}, {512, 512}, 100, 100), (Region{20, 0, 40, 20}));
  EXPECT_EQ(expand_to_proportions({20, 90, 40, 100}, {512, 512}, 100, 100), (Region{20, 80, 40, 100}));
  EXPECT_EQ(expand_to_proportions({0, 20, 90, 30}, {1, 1}, 100, 40), (Region{0, 0, 90, 40})) << "limited";
  EXPECT_EQ(expand_to_proportions({10, 10, 20, 30}, {3, 2}, 100, 100), (Region{0, 10, 30, 30}));
}

TEST(ReduceMax, one_pixel_marks_its_cell) {
  Image mask = Image::zeros(33, 50, 1);
  mask.at(32, 49) = 0.5f;
  mask.at(0, 7) = 1;
  const Image small = reduce_max(mask, 4, 6);
  EXPECT_EQ(small.at(3, 5), 0.5f);
  EXPECT_EQ(small.at(0, 0), 1);
  double sum = 0;
  for (const float v : small.data()) sum += v;
  EXPECT_EQ(sum, 1.5);
  const Image same = reduce_max(mask, 33, 50);
  EXPECT_TRUE(std::ranges::equal(same.data(), mask.data()));
}

TEST(Composite, outside_the_mask_every_bit_stays) {
  const Image8 original = golden_image8("resize/source_3");
  Image8 painted = original.clone();
  for (uint8_t& v : painted.data()) v = static_cast<uint8_t>(255 - v);
  Image mask = to_float(golden_image8("mask"));
  mask.at(0, 0) = 0.5f;
  const Image8 result = composite(original, painted, mask);
  for (int64_t y = 0; y < mask.height(); ++y) {
    for (int64_t x = 0; x < mask.width(); ++x) {
      if (mask.at(y, x) == 0.5f) continue;
      const Image8& expected = mask.at(y, x) == 0 ? original : painted;
      for (int64_t c = 0; c < 3; ++c) ASSERT_EQ(result.at(y, x, c), expected.at(y, x, c));
    }
  }
  EXPECT_NEAR(result.at(0, 0, 0), 127.5, 0.51);
  EXPECT_THROW(composite(original, painted, Image::zeros(3, 3, 1)), Error);

  // In floats too, where x + 0 (y - x) would not be x for a painted infinity.
  const Image half = to_float(original);
  Image wild = half.clone();
  wild.at(0, 30, 0) = std::numeric_limits<float>::infinity();
  const Image kept = composite(half, wild, Image::zeros(37, 53, 1));
  EXPECT_TRUE(std::ranges::equal(kept.data(), half.data()));
}

TEST(Paste, lays_a_part_at_its_place) {
  const Image8 picture = golden_image8("resize/source_3");
  const Image8 part = crop(picture, 4, 6, 10, 12);
  EXPECT_EQ(level_difference(paste(picture, part, 4, 6), picture), 0);
  EXPECT_THROW(paste(picture, part, 30, 6), Error);
}

TEST(Fill, holes_take_the_colours_around_them) {
  // A horizontal ramp with a hole: the fill should continue it, and touch nothing else.
  Image image = Image::zeros(64, 64, 3);
  for (int64_t y = 0; y < 64; ++y) {
    for (int64_t x = 0; x < 64; ++x) image.at(y, x, 0) = static_cast<float>(x) / 63.f;
  }
  const Image mask = box_mask(64, 64, {24, 24, 40, 40});
  Image holed = image.clone();
  for (int64_t y = 24; y < 40; ++y) {
    for (int64_t x = 24; x < 40; ++x) holed.at(y, x, 1) = 1;  // a green box to be replaced
  }
  const Image filled = fill_from_surroundings(holed, mask);
  for (int64_t y = 0; y < 64; ++y) {
    for (int64_t x = 0; x < 64; ++x) {
      EXPECT_EQ(filled.at(y, x, 1), 0) << "green bled into " << x << ", " << y;
      if (mask.at(y, x) == 0)
        ASSERT_EQ(filled.at(y, x, 0), image.at(y, x, 0));
      else
        EXPECT_NEAR(filled.at(y, x, 0), image.at(y, x, 0), 0.02);
    }
  }
  EXPECT_EQ(fill_from_surroundings(image, box_mask(64, 64, {0, 0, 64, 64})).at(5, 5, 2), 0.5f);
}

TEST(SeamDrift, sees_a_tint_and_not_a_clean_edge) {
  const Image8 original = golden_image8("resize/source_3");
  const Image mask = to_float(golden_image8("mask"));
  const SeamDrift clean = seam_drift(original, original, mask);
  EXPECT_GT(clean.pixels_inside, 50);
  EXPECT_GT(clean.pixels_outside, 50);
  EXPECT_EQ(clean.inside_levels, 0);
  EXPECT_EQ(clean.step, clean.step_before);

  Image8 warm = original.clone();
  for (int64_t y = 0; y < 37; ++y) {
    for (int64_t x = 0; x < 53; ++x) {
      if (mask.at(y, x) > 0) warm.at(y, x, 0) = static_cast<uint8_t>(std::min(warm.at(y, x, 0) + 12, 255));
    }
  }
  const SeamDrift tinted = seam_drift(original, warm, mask);
  EXPECT_NEAR(tinted.shift[0], 12, 0.5);
  EXPECT_EQ(tinted.shift[1], 0);
  EXPECT_NEAR(tinted.inside_levels, 4, 0.2);  // 12 in one of three channels
  EXPECT_GT(tinted.shift_delta_e, 2.3);       // noticeable
  EXPECT_EQ(tinted.outside_levels, 0);
  EXPECT_EQ(seam_drift(original, warm, Image::zeros(37, 53, 1)).pixels_inside, 0);
}

TEST(ReadMask, takes_luminance_or_alpha) {
  const fs::path path = fs::path(testing::TempDir()) / "maquette_media_mask.png";
  Image picture = Image::zeros(4, 4, 4);
  std::ranges::fill(picture.data(), 1.f);
  picture.at(1, 2, 3) = 0;
  write_image(path, picture);
  EXPECT_EQ(read_mask(path).take().at(1, 2), 0);
  EXPECT_EQ(read_mask(path, {.source = MaskSource::alpha, .invert = true}).take().at(1, 2), 1);
  write_image(path, to_rgb(picture));
  EXPECT_FALSE(read_mask(path, {.source = MaskSource::alpha}));
}

}  // namespace
}  // namespace maquette::media
