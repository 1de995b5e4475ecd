// The seam of a repainted part, measured on 8-bit pictures as they are delivered. CIE 15 for colour
// differences.
#include <algorithm>
#include <cmath>

#include "media/color.h"
#include "media/mask_ops.h"

namespace maquette::media {

namespace {

// 1 where any pixel within `reach` in x and y is set.
Image near_to(const Image& set, int reach) {
  Image out = Image::zeros(set.height(), set.width(), 1);
  for (int64_t y = 0; y < set.height(); ++y) {
    for (int64_t x = 0; x < set.width(); ++x) {
      if (set.at(y, x) == 0) continue;
      for (int64_t j = std::max<int64_t>(y - reach, 0); j <= std::min(y + reach, set.height() - 1); ++j) {
        for (int64_t i = std::max<int64_t>(x - reach, 0); i <= std::min(x + reach, set.width() - 1); ++i)
          out.at(j, i) = 1;
      }
    }
  }
  return out;
}

double step_between(const Image8& picture, int64_t y, int64_t x, int64_t other_y, int64_t other_x) {
  double sum = 0;
  for (int64_t c = 0; c < 3; ++c)
    sum += std::abs(int{picture.at(y, x, c)} - int{picture.at(other_y, other_x, c)});
  return sum / 3;
}

Lab lab_of(const std::array<double, 3>& levels) {
  return srgb_to_lab(static_cast<float>(levels[0] / 255), static_cast<float>(levels[1] / 255),
                     static_cast<float>(levels[2] / 255));
}

std::array<double, 3> levels_of(const Image8& picture, int64_t y, int64_t x) {
  return {double(picture.at(y, x, 0)), double(picture.at(y, x, 1)), double(picture.at(y, x, 2))};
}

// Sums over one ring, divided at the end.
struct RingSums {
  int64_t pixels = 0;
  double levels = 0;
  double delta_e = 0;
  std::array<double, 3> before = {};
  std::array<double, 3> after = {};

  void add(const std::array<double, 3>& was, const std::array<double, 3>& is) {
    ++pixels;
    delta_e += maquette::media::delta_e(lab_of(was), lab_of(is));
    for (size_t c = 0; c < 3; ++c) {
      levels += std::abs(is[c] - was[c]) / 3;
      before[c] += was[c];
      after[c] += is[c];
    }
  }
  void divide() {
    const auto count = static_cast<double>(std::max<int64_t>(pixels, 1));
    levels /= count;
    delta_e /= count;
    for (size_t c = 0; c < 3; ++c) {
      before[c] /= count;
      after[c] /= count;
    }
  }
};

// Mean steps across the edge, in the result and in the original.
void measure_steps(const Image8& original, const Image8& result, const Image& inside, SeamDrift& drift) {
  int64_t pairs = 0;
  const auto visit = [&](int64_t y, int64_t x, int64_t other_y, int64_t other_x) {
    if (inside.at(y, x) == inside.at(other_y, other_x)) return;
    ++pairs;
    drift.step += step_between(result, y, x, other_y, other_x);
    drift.step_before += step_between(original, y, x, other_y, other_x);
  };
  for (int64_t y = 0; y < inside.height(); ++y) {
    for (int64_t x = 0; x < inside.width(); ++x) {
      if (x + 1 < inside.width()) visit(y, x, y, x + 1);
      if (y + 1 < inside.height()) visit(y, x, y + 1, x);
    }
  }
  drift.step /= static_cast<double>(std::max<int64_t>(pairs, 1));
  drift.step_before /= static_cast<double>(std::max<int64_t>(pairs, 1));
}

}  // namespace

SeamDrift seam_drift(const Image8& original, const Image8& result, const Image& mask, int ring) {
  if (!original.same_size(result) || !original.same_size(mask) || ring < 1) {
    throw Error(ErrorCode::failed, "cannot measure the seam of pictures of different sizes");
  }
  const Image8 before = to_rgb(original);
  const Image8 after = to_rgb(result);
  Image inside = mask.clone();
  for (float& v : inside.data()) v = v > 0 ? 1.f : 0.f;
  const Image near_inside = near_to(inside, ring);
  const Image near_outside = near_to(invert(inside), ring);

  RingSums inner, outer;
  for (int64_t y = 0; y < mask.height(); ++y) {
    for (int64_t x = 0; x < mask.width(); ++x) {
      if (near_inside.at(y, x) == 0 || near_outside.at(y, x) == 0) continue;
      (inside.at(y, x) > 0 ? inner : outer).add(levels_of(before, y, x), levels_of(after, y, x));
    }
  }
  inner.divide();
  outer.divide();

  SeamDrift drift;
  drift.pixels_inside = inner.pixels;
  drift.pixels_outside = outer.pixels;
  drift.outside_levels = outer.levels;
  drift.inside_levels = inner.levels;
  drift.inside_delta_e = inner.delta_e;
  for (size_t c = 0; c < 3; ++c) drift.shift[c] = inner.after[c] - inner.before[c];
  if (inner.pixels > 0) drift.shift_delta_e = delta_e(lab_of(inner.before), lab_of(inner.after));
  measure_steps(before, after, inside, drift);
  return drift;
}

}  // namespace maquette::media
