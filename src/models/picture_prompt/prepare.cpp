// The reference works on 8-bit pictures with weights rounded to 22 bits, and so does this: the encoder was
// trained on pixels that had gone this way.
#include "models/picture_prompt/prepare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace maquette::models {

namespace {

constexpr int kWeightBits = 22;
constexpr std::array<double, 3> kMean{0.48145466, 0.4578275, 0.40821073};  // of CLIP's training pictures
constexpr std::array<double, 3> kDeviation{0.26862954, 0.26130258, 0.27577711};

// Keys 1981, with a = -0.5.
double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

// Which source pixels make a target pixel, and with which weights (sum 2^22).
struct Taps {
  int64_t first = 0;
  std::vector<int32_t> weights;
};

std::vector<Taps> taps_of(int64_t from, int64_t to) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(ratio, 1.0);  // a reduction widens the filter
  const double support = 2 * stretch;
  std::vector<Taps> all;
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * ratio;
    const int64_t first = std::max<int64_t>(static_cast<int64_t>(centre - support + 0.5), 0);
    const int64_t last = std::min<int64_t>(static_cast<int64_t>(centre + support + 0.5), from);
    std::vector<double> exact;
    double total = 0;
    for (int64_t x = first; x < last; ++x) {
      exact.push_back(bicubic((static_cast<double>(x) - centre + 0.5) / stretch));
      total += exact.back();
    }
    const double inverse = 1 / total;
    Taps taps{.first = first, .weights = {}};
    for (const double weight : exact) {
      taps.weights.push_back(static_cast<int32_t>(std::lround(weight * inverse * (1 << kWeightBits))));
    }
    all.push_back(std::move(taps));
  }
  return all;
}

uint8_t clipped(int64_t sum) {
  return static_cast<uint8_t>(
      std::clamp<int64_t>((sum + (int64_t{1} << (kWeightBits - 1))) >> kWeightBits, 0, 255));
}

struct Plane {  // one channel, 8 bits
  int64_t height = 0, width = 0;
  std::vector<uint8_t> values;

  uint8_t at(int64_t y, int64_t x) const { return values[static_cast<size_t>(y * width + x)]; }
};

Plane resized_across(const Plane& in, int64_t width) {
  if (in.width == width) return in;
  Plane out{.height = in.height, .width = width, .values = {}};
  const std::vector<Taps> taps = taps_of(in.width, width);
  for (int64_t y = 0; y < in.height; ++y) {
    for (const Taps& tap : taps) {
      int64_t sum = 0;
      for (size_t k = 0; k < tap.weights.size(); ++k) {
        sum += int64_t{in.at(y, tap.first + static_cast<int64_t>(k))} * tap.weights[k];
      }
      out.values.push_back(clipped(sum));
    }
  }
  return out;
}

Plane resized_down(const Plane& in, int64_t height) {
  if (in.height == height) return in;
  Plane out{.height = height, .width = in.width, .values = {}};
  for (const Taps& tap : taps_of(in.height, height)) {
    for (int64_t x = 0; x < in.width; ++x) {
      int64_t sum = 0;
      for (size_t k = 0; k < tap.weights.size(); ++k) {
        sum += int64_t{in.at(tap.first + static_cast<int64_t>(k), x)} * tap.weights[k];
      }
      out.values.push_back(clipped(sum));
    }
  }
  return out;
}

}  // namespace

Tensor prepare_for_vision(const Tensor& picture, int64_t size) {
  if (picture.rank() != 3 || picture.size(0) != 3 || picture.elements() == 0) {
    throw Error(ErrorCode::usage, "cannot use the picture as a prompt")
        .with("found", picture.shape().text())
        .with("expected", "[3, H, W]");
  }
  const int64_t height = picture.size(1);
  const int64_t width = picture.size(2);
  // The shorter side gets the size asked for, the longer one what keeps the proportions, rounded down.
  const int64_t shorter = std::min(height, width);
  const int64_t new_height = height == shorter ? size : size * height / shorter;
  const int64_t new_width = width == shorter ? size : size * width / shorter;
  const int64_t top = (new_height - size) / 2;
  const int64_t left = (new_width - size) / 2;

  Tensor out = Tensor::empty({1, 3, size, size});
  float* target = out.data().data();
  for (int64_t c = 0; c < 3; ++c) {
    Plane plane{.height = height, .width = width, .values = {}};
    const auto values =
        picture.data().subspan(static_cast<size_t>(c * height * width), static_cast<size_t>(height * width));
    for (const float value : values) {
      plane.values.push_back(static_cast<uint8_t>(std::lround(std::clamp(value, 0.0f, 1.0f) * 255)));
    }
    plane = resized_down(resized_across(plane, new_width), new_height);
    const auto channel = static_cast<size_t>(c);
    for (int64_t y = 0; y < size; ++y) {
      for (int64_t x = 0; x < size; ++x) {
        const double value = plane.at(top + y, left + x) / 255.0;
        *target++ = static_cast<float>((value - kMean[channel]) / kDeviation[channel]);
      }
    }
  }
  return out;
}

}  // namespace maquette::models
