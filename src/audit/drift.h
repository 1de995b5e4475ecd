// Drift of the palette along a sequence of pictures: which ones leave the palette of the rest, and whether
// lightness or colour moves steadily from the first to the last.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "audit/appearance.h"

namespace maquette::audit {

// Change of a channel's mean from one picture to the next (Theil-Sen: the median of the slopes of all pairs),
// with its 95 % interval (Sen 1968).
struct Trend {
  double slope = 0;  // L*a*b* units a picture
  double low = 0;
  double high = 0;
  bool steady() const { return low > 0 || high < 0; }  // the interval leaves out no change
};

struct Drift {
  std::vector<double> distances;  // of each picture's palette from the median palette, L*a*b* units
  double usual = 0;               // their median
  double limit = 0;               // above which a picture leaves the palette
  // Absent for fewer than kFewestForDrift pictures: not enough samples.
  std::optional<std::vector<bool>> leaves;
  struct Trends {
    Trend lightness, green_to_red, blue_to_yellow;
  };
  std::optional<Trends> trends;
};

inline constexpr size_t kFewestForDrift = 8;
// A picture leaves the palette above median + 3 x 1.4826 x median absolute deviation of the distances (three
// standard deviations of a normal distribution), and never below the difference that eyes just notice.
inline constexpr double kJustNoticeable = 2.3;

// In the order of the sequence. Throws Error(usage) for no pictures.
Drift measure_drift(std::span<const Appearance> pictures);

// The trend of values at 0, 1, 2, ...; at least two.
Trend theil_sen(std::span<const double> values);

}  // namespace maquette::audit
