// Dilation by a disc as a maximum over rows of running maxima, and the exact Euclidean distance transform of
// Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8 (2012),
// section 2: along one axis, the squared distance is the lower envelope of parabolas; one pass per axis is
// exact.
#include <algorithm>
#include <cmath>
#include <limits>

#include "media/mask_ops.h"

namespace maquette::media {

namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Maximum over i - reach .. i + reach, through maxima of power-of-two lengths: two of them cover any window.
void running_max(std::span<const float> row, int64_t reach, std::vector<float>& out) {
  const auto size = static_cast<int64_t>(row.size());
  const int64_t window = 2 * reach + 1;
  // Padded on both sides, so that every window is whole.
  std::vector<float> best(static_cast<size_t>(size + 2 * reach), 0.f);
  std::ranges::copy(row, best.begin() + reach);
  int64_t covered = 1;
  for (; covered * 2 <= window; covered *= 2) {
    for (size_t i = 0; i + static_cast<size_t>(covered) < best.size(); ++i) {
      best[i] = std::max(best[i], best[i + static_cast<size_t>(covered)]);
    }
  }
  out.resize(row.size());
  for (int64_t i = 0; i < size; ++i) {
    out[static_cast<size_t>(i)] =
        std::max(best[static_cast<size_t>(i)], best[static_cast<size_t>(i + window - covered)]);
  }
}

// min over j of (i - j)^2 + f[j], for every i, in place. `vertex` and `from` are scratch.
struct Envelope {
  std::vector<int64_t> vertex;
  std::vector<double> from;
  std::vector<double> f;

  void transform(double* values, int64_t size, int64_t step) {
    f.clear();
    for (int64_t i = 0; i < size; ++i) f.push_back(values[i * step]);
    vertex.clear();
    from.clear();
    // Each parabola enters at the right, removing those that it hides from there on.
    for (int64_t i = 0; i < size; ++i) {
      if (f[static_cast<size_t>(i)] == kInfinite) continue;
      double begin = -kInfinite;
      while (!vertex.empty()) {
        begin = crossing(vertex.back(), i);
        if (begin > from.back()) break;
        vertex.pop_back();
        from.pop_back();
        begin = -kInfinite;
      }
      vertex.push_back(i);
      from.push_back(begin);
    }
    size_t k = 0;
    for (int64_t i = 0; i < size && !vertex.empty(); ++i) {
      while (k + 1 < vertex.size() && from[k + 1] < static_cast<double>(i)) ++k;
      const auto away = static_cast<double>(i - vertex[k]);
      values[i * step] = away * away + f[static_cast<size_t>(vertex[k])];
    }
  }

  // Where the parabola of j comes below that of i < j.
  double crossing(int64_t i, int64_t j) const {
    const auto a = static_cast<double>(i), b = static_cast<double>(j);
    return (f[static_cast<size_t>(j)] + b * b - f[static_cast<size_t>(i)] - a * a) / (2 * (b - a));
  }
};

float smooth_step(double t) {
  t = std::clamp(t, 0.0, 1.0);
  return static_cast<float>(t * t * (3 - 2 * t));
}

void check_radius(double radius) {
  if (radius < 0 || radius > 100'000)
    throw Error(ErrorCode::usage, "cannot use a radius of {} pixels", radius);
}

}  // namespace

Image dilate(const Image& mask, int radius) {
  check_radius(radius);
  Image out = mask.clone();
  std::vector<float> widened;
  for (int64_t y = 0; y < mask.height(); ++y) {
    for (int64_t dy = 0; dy <= radius && dy < mask.height(); ++dy) {
      const auto reach =
          static_cast<int64_t>(std::sqrt(static_cast<double>(int64_t{radius} * radius - dy * dy)));
      running_max(mask.row(y), std::min(reach, mask.width()), widened);
      for (const int64_t target : {y - dy, y + dy}) {
        if (target < 0 || target >= mask.height()) continue;
        const auto row = out.row(target);
        for (size_t x = 0; x < row.size(); ++x) row[x] = std::max(row[x], widened[x]);
      }
    }
  }
  return out;
}

Image erode(const Image& mask, int radius) { return invert(dilate(invert(mask), radius)); }

Image grow(const Image& mask, int radius) {
  return radius >= 0 ? dilate(mask, radius) : erode(mask, -radius);
}

Image distance_to(const Image& mask) {
  std::vector<double> squared(mask.data().size());
  std::ranges::transform(mask.data(), squared.begin(), [](float v) { return v >= 0.5f ? 0.0 : kInfinite; });
  Envelope envelope;
  for (int64_t x = 0; x < mask.width(); ++x)
    envelope.transform(squared.data() + x, mask.height(), mask.width());
  for (int64_t y = 0; y < mask.height(); ++y)
    envelope.transform(squared.data() + y * mask.width(), mask.width(), 1);
  Image out = Image::zeros(mask.height(), mask.width(), 1);
  std::ranges::transform(squared, out.data().begin(),
                         [](double v) { return static_cast<float>(std::sqrt(v)); });
  return out;
}

Image feather(const Image& mask, double radius, FeatherSide side) {
  check_radius(radius);
  if (radius == 0) return binarise(mask);
  const Image to_inside = distance_to(mask);
  const Image to_outside = distance_to(invert(binarise(mask)));
  Image out = Image::zeros(mask.height(), mask.width(), 1);
  for (size_t i = 0; i < out.data().size(); ++i) {
    // The edge lies half a pixel beyond the last pixel of either side.
    const double depth = mask.data()[i] >= 0.5f ? to_outside.data()[i] - 0.5 : 0.5 - to_inside.data()[i];
    switch (side) {
      case FeatherSide::both: out.data()[i] = smooth_step(0.5 + depth / (2 * radius)); break;
      case FeatherSide::inside: out.data()[i] = smooth_step(depth / radius); break;
      case FeatherSide::outside: out.data()[i] = smooth_step(1 + depth / radius); break;
    }
  }
  return out;
}

}  // namespace maquette::media
