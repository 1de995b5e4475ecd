// Diversity and drift on pictures whose answers are known.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "audit/diversity.h"
#include "audit/drift.h"
#include "base/error.h"
#include "media/resize.h"

namespace maquette::audit {
namespace {

media::Image8 plain(int red, int green, int blue, int64_t side = 64) {
  media::Image8 picture = media::Image8::zeros(side, side, 3);
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side; ++x) {
      picture.at(y, x, 0) = static_cast<uint8_t>(red);
      picture.at(y, x, 1) = static_cast<uint8_t>(green);
      picture.at(y, x, 2) = static_cast<uint8_t>(blue);
    }
  }
  return picture;
}

// Soft blobs at random places in random colours.
media::Image8 painted(uint64_t seed) {
  std::mt19937_64 random(seed);
  media::Image8 coarse = media::Image8::zeros(5, 5, 3);
  for (uint8_t& v : coarse.data()) v = static_cast<uint8_t>(random() % 256);
  return media::resize(coarse, 96, 128, media::Filter::bicubic);
}

std::vector<Appearance> paintings(size_t count, uint64_t first = 1) {
  std::vector<Appearance> all;
  for (size_t i = 0; i < count; ++i) all.push_back(appearance_of(painted(first + i)));
  return all;
}

TEST(Vendi, counts_groups_of_equal_pictures) {
  // k groups of equal size, alike within and unlike between: the score is k (Friedman & Dieng 2023, section
  // 3).
  for (const size_t groups : {1u, 2u, 5u, 12u}) {
    const size_t n = groups * 3;
    std::vector<double> likenesses(n * n);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) likenesses[i * n + j] = i % groups == j % groups ? 1 : 0;
    }
    EXPECT_NEAR(vendi_score(likenesses, n), static_cast<double>(groups), 1e-9);
  }
  EXPECT_THROW(vendi_score(std::vector<double>(5), 2), Error);
  EXPECT_THROW(vendi_score({}, 0), Error);
}

TEST(Vendi, of_two_pictures_follows_their_likeness) {
  // Eigenvalues (1 +- s) / 2.
  const double s = 0.6;
  const double entropy = -0.8 * std::log(0.8) - 0.2 * std::log(0.2);
  EXPECT_NEAR(vendi_score(std::vector<double>{1, s, s, 1}, 2), std::exp(entropy), 1e-12);
}

TEST(Appearance, likeness_is_one_for_the_same_and_small_for_others) {
  const Appearance picture = appearance_of(painted(1));
  EXPECT_NEAR(likeness(picture, picture), 1, 1e-12);
  EXPECT_LT(likeness(picture, appearance_of(painted(2))), 0.2);
  // Larger, the same.
  const media::Image8 larger = media::resize(painted(1), 384, 512, media::Filter::bicubic);
  EXPECT_GT(likeness(picture, appearance_of(larger)), 0.95);
  // Without lines there is nothing to divide by.
  EXPECT_NEAR(likeness(appearance_of(plain(80, 80, 80)), appearance_of(plain(80, 80, 80, 1))), 1, 1e-12);
}

TEST(Appearance, palettes_ignore_the_layout) {
  const media::Image8 picture = painted(3);
  media::Image8 turned = picture.clone();
  for (int64_t y = 0; y < picture.height(); ++y) {
    for (int64_t x = 0; x < picture.width(); ++x) {
      for (int64_t c = 0; c < 3; ++c)
        turned.at(y, x, c) = picture.at(picture.height() - 1 - y, picture.width() - 1 - x, c);
    }
  }
  const Appearance a = appearance_of(picture);
  const Appearance b = appearance_of(turned);
  EXPECT_LT(palette_distance(a.palette, b.palette), 0.2);
  EXPECT_LT(likeness(a, b), 0.5);
  // Two plain greys: the distance is that of their lightness.
  const Appearance dark = appearance_of(plain(50, 50, 50));
  const Appearance light = appearance_of(plain(60, 60, 60));
  EXPECT_NEAR(palette_distance(dark.palette, light.palette), light.palette[0] - dark.palette[0], 1e-3);
}

TEST(Diversity, needs_enough_pictures) {
  EXPECT_FALSE(measure_diversity(paintings(31)).compared.has_value());
  EXPECT_TRUE(measure_diversity(paintings(32)).compared.has_value());
  EXPECT_THROW(measure_diversity({}), Error);
}

// Plain pictures in random colours: more or less alike.
std::vector<Appearance> swatches(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto level = [&random] { return static_cast<int>(90 + random() % 60); };
  std::vector<Appearance> all;
  for (size_t i = 0; i < count; ++i) {
    const int red = level();
    const int green = level();
    all.push_back(appearance_of(plain(red, green, level())));
  }
  return all;
}

TEST(Diversity, does_not_grow_with_the_number_of_pictures) {
  const Diversity few = measure_diversity(swatches(40, 1));
  const Diversity many = measure_diversity(swatches(200, 1));
  EXPECT_GT(many.score, 1.05 * few.score);
  ASSERT_TRUE(few.compared && many.compared);
  EXPECT_GE(many.compared->score, few.compared->low);
  EXPECT_LE(many.compared->score, few.compared->high);
  EXPECT_LT(many.compared->high - many.compared->low, few.compared->high - few.compared->low);
  // The same question has the same answer.
  EXPECT_EQ(measure_diversity(swatches(40, 1)).compared->low, few.compared->low);
}

// Of forty sets from one source, the interval of about two misses what the source has (the mean over all).
TEST(Diversity, the_interval_holds_what_it_says) {
  std::vector<Diversity::Compared> sets;
  double truth = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    sets.push_back(*measure_diversity(swatches(48, seed)).compared);
    truth += sets.back().score / 40;
  }
  const auto misses = std::ranges::count_if(
      sets, [truth](const Diversity::Compared& set) { return truth < set.low || truth > set.high; });
  EXPECT_LE(misses, 6);
}

TEST(Diversity, a_monotonous_set_is_told_from_a_rich_one) {
  std::vector<Appearance> monotonous;
  for (int i = 0; i < 40; ++i) monotonous.push_back(appearance_of(plain(100 + i % 3, 90, 80)));
  const Diversity poor = measure_diversity(monotonous);
  const Diversity rich = measure_diversity(paintings(40));
  EXPECT_LT(poor.score, 1.1);
  EXPECT_LT(poor.compared->high, rich.compared->low);
}

TEST(TheilSen, finds_the_slope_and_its_interval) {
  const std::vector<double> straight{1, 3, 5, 7, 9, 11, 13, 15};
  const Trend rising = theil_sen(straight);
  EXPECT_DOUBLE_EQ(rising.slope, 2);
  EXPECT_TRUE(rising.steady());
  // scipy.stats.theilslopes([1, 4, 2, 8, 5, 7, 1, 6, 3, 9], alpha=0.95), SciPy 1.17.
  const Trend noisy = theil_sen(std::vector<double>{1, 4, 2, 8, 5, 7, 1, 6, 3, 9});
  EXPECT_DOUBLE_EQ(noisy.slope, 0.5);
  EXPECT_DOUBLE_EQ(noisy.low, -0.5);
  EXPECT_DOUBLE_EQ(noisy.high, 1.2);
  EXPECT_FALSE(noisy.steady());
}

// Over many series without a trend, the interval leaves out zero in about one of twenty.
TEST(TheilSen, the_interval_is_right_nineteen_times_of_twenty) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> noise;
  int wrong = 0;
  for (int i = 0; i < 2000; ++i) {
    std::vector<double> values;
    for (int k = 0; k < 12; ++k) values.push_back(noise(random));
    wrong += theil_sen(values).steady();
  }
  EXPECT_GT(wrong, 40);   // 2 %
  EXPECT_LT(wrong, 120);  // 6 %
}

TEST(Drift, the_picture_that_leaves_the_palette_is_named) {
  std::vector<Appearance> sequence;
  for (int i = 0; i < 10; ++i) sequence.push_back(appearance_of(plain(100 + i % 3, 110 - i % 2, 120)));
  sequence[6] = appearance_of(plain(180, 90, 60));
  const Drift drift = measure_drift(sequence);
  ASSERT_TRUE(drift.leaves);
  for (size_t i = 0; i < sequence.size(); ++i) EXPECT_EQ((*drift.leaves)[i], i == 6) << i;
  EXPECT_FALSE(drift.trends->lightness.steady());
}

TEST(Drift, a_steady_change_is_a_trend) {
  std::vector<Appearance> sequence;
  for (int i = 0; i < 10; ++i) sequence.push_back(appearance_of(plain(60 + 8 * i, 60 + 8 * i, 60 + 8 * i)));
  const Drift drift = measure_drift(sequence);
  EXPECT_GT(drift.trends->lightness.low, 2);
  EXPECT_FALSE(drift.trends->green_to_red.low > 0.1);
}

TEST(Drift, few_pictures_are_not_enough) {
  const Drift drift = measure_drift(paintings(7));
  EXPECT_EQ(drift.distances.size(), 7u);
  EXPECT_FALSE(drift.leaves);
  EXPECT_FALSE(drift.trends);
  EXPECT_THROW(measure_drift({}), Error);
}

}  // namespace
}  // namespace maquette::audit
