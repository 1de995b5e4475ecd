#include "audit/drift.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace maquette::audit {

namespace {

constexpr double kNormal95 = 1.959964;
constexpr double kDeviationOfMad = 1.4826;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// Quantile by quantile. Medians of rising lists rise too: it is a palette again.
std::vector<float> median_palette(std::span<const Appearance> pictures) {
  std::vector<float> palette;
  for (size_t i = 0; i < pictures[0].palette.size(); ++i) {
    std::vector<double> values;
    for (const Appearance& picture : pictures) values.push_back(picture.palette[i]);
    palette.push_back(static_cast<float>(median(std::move(values))));
  }
  return palette;
}

double channel_mean(const Appearance& picture, size_t channel) {
  double sum = 0;
  for (size_t q = 0; q < kQuantiles; ++q) sum += picture.palette[channel * kQuantiles + q];
  return sum / kQuantiles;
}

Trend channel_trend(std::span<const Appearance> pictures, size_t channel) {
  std::vector<double> means;
  for (const Appearance& picture : pictures) means.push_back(channel_mean(picture, channel));
  return theil_sen(means);
}

}  // namespace

// Sen's interval: with N slopes and Kendall's variance n (n - 1) (2 n + 5) / 18, the slopes of rank (N - C) /
// 2 and (N + C) / 2 + 1 bound the true one, C = z sqrt(variance).
Trend theil_sen(std::span<const double> values) {
  std::vector<double> slopes;
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = i + 1; j < values.size(); ++j)
      slopes.push_back((values[j] - values[i]) / static_cast<double>(j - i));
  }
  std::ranges::sort(slopes);
  const auto n = static_cast<double>(values.size());
  const double c = kNormal95 * std::sqrt(n * (n - 1) * (2 * n + 5) / 18);
  const auto count = static_cast<double>(slopes.size());
  const auto at = [&slopes](double rank) {  // from 1
    const double last = static_cast<double>(slopes.size());
    return slopes[static_cast<size_t>(std::clamp(rank, 1.0, last)) - 1];
  };
  return {.slope = median(slopes),
          .low = at(std::round((count - c) / 2)),
          .high = at(std::round((count + c) / 2) + 1)};
}

Drift measure_drift(std::span<const Appearance> pictures) {
  if (pictures.empty()) throw Error(ErrorCode::usage, "cannot measure the drift of no pictures");
  Drift drift;
  const std::vector<float> usual = median_palette(pictures);
  for (const Appearance& picture : pictures)
    drift.distances.push_back(palette_distance(picture.palette, usual));
  drift.usual = median(drift.distances);
  std::vector<double> off;
  for (const double d : drift.distances) off.push_back(std::abs(d - drift.usual));
  drift.limit = std::max(kJustNoticeable, drift.usual + 3 * kDeviationOfMad * median(std::move(off)));
  if (pictures.size() < kFewestForDrift) return drift;

  drift.leaves.emplace();
  for (const double d : drift.distances) drift.leaves->push_back(d > drift.limit);
  drift.trends = {.lightness = channel_trend(pictures, 0),
                  .green_to_red = channel_trend(pictures, 1),
                  .blue_to_yellow = channel_trend(pictures, 2)};
  return drift;
}

}  // namespace maquette::audit
