// Peak signal-to-noise ratio as image codecs are compared by: one mean over all values, peak 255.
#include "media/psnr.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace maquette::media {

namespace {

void check_shapes(const Image8& a, const Image8& b) {
  if (a.pixels.shape() == b.pixels.shape()) return;
  throw Error(ErrorCode::usage, "cannot compare pictures of different sizes")
      .with("found", fmt::format("{} and {}", a.pixels.shape().text(), b.pixels.shape().text()));
}

}  // namespace

double psnr(const Image8& a, const Image8& b) {
  check_shapes(a, b);
  const auto x = a.data();
  const auto y = b.data();
  uint64_t squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const int difference = int{x[i]} - int{y[i]};
    squares += static_cast<uint64_t>(difference * difference);
  }
  if (squares == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.data().size()) / static_cast<double>(squares));
}

int max_difference(const Image8& a, const Image8& b) {
  check_shapes(a, b);
  const auto x = a.data();
  const auto y = b.data();
  int largest = 0;
  for (size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(int{x[i]} - int{y[i]}));
  return largest;
}

}  // namespace maquette::media
