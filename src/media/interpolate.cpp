// torch.nn.functional.interpolate with align_corners=False. The scale is input / output in binary32;
// positions are
//   nearest        floor(x s)
//   nearest-exact  floor((x + 1/2) s)
//   bilinear       (x + 1/2) s - 1/2, not below 0, between two neighbours
//   bicubic        (x + 1/2) s - 1/2, Keys' cubic with a = -3/4 over four neighbours, the border repeated
#include <algorithm>
#include <array>
#include <cmath>

#include "media/resize.h"

namespace maquette::media {

namespace {

// What one output position reads along one axis: up to four inputs and their weights.
struct Taps {
  int count = 1;
  std::array<int64_t, 4> at = {};
  std::array<float, 4> weight = {1, 0, 0, 0};
};

float cubic_near(float x) { return ((-0.75f + 2) * x - (-0.75f + 3)) * x * x + 1; }
float cubic_far(float x) { return ((-0.75f * x - 5 * -0.75f) * x + 8 * -0.75f) * x - 4 * -0.75f; }

Taps taps_at(int64_t x, float scale, int64_t inputs, Interpolation mode) {
  const auto inside = [inputs](int64_t i) { return std::clamp<int64_t>(i, 0, inputs - 1); };
  const auto position = static_cast<float>(x);
  Taps taps;
  if (mode == Interpolation::nearest || mode == Interpolation::nearest_exact) {
    const float offset = mode == Interpolation::nearest ? 0.f : 0.5f;
    taps.at[0] = inside(static_cast<int64_t>(std::floor((position + offset) * scale)));
    return taps;
  }
  float centre = scale * (position + 0.5f) - 0.5f;
  if (mode == Interpolation::bilinear) {
    centre = std::max(centre, 0.f);
    const auto first = static_cast<int64_t>(centre);
    const float t = centre - static_cast<float>(first);
    taps = {2, {inside(first), inside(first + 1)}, {1 - t, t}};
    return taps;
  }
  const float floor = std::floor(centre);
  const auto first = static_cast<int64_t>(floor);
  const float t = centre - floor;
  taps.count = 4;
  for (int64_t i = 0; i < 4; ++i) taps.at[static_cast<size_t>(i)] = inside(first - 1 + i);
  taps.weight = {cubic_far(t + 1), cubic_near(t), cubic_near(1 - t), cubic_far(2 - t)};
  return taps;
}

std::vector<Taps> axis_taps(int64_t inputs, int64_t outputs, Interpolation mode) {
  const float scale = static_cast<float>(inputs) / static_cast<float>(outputs);
  std::vector<Taps> taps;
  for (int64_t x = 0; x < outputs; ++x) taps.push_back(taps_at(x, scale, inputs, mode));
  return taps;
}

}  // namespace

Tensor interpolate(const Tensor& nchw, int64_t height, int64_t width, Interpolation mode) {
  if (nchw.rank() != 4 || height < 1 || width < 1 || nchw.elements() == 0) {
    throw Error(ErrorCode::failed, "cannot interpolate a tensor of shape {} to {} x {}", nchw.shape().text(),
                height, width);
  }
  const int64_t in_height = nchw.size(2);
  const int64_t in_width = nchw.size(3);
  const std::vector<Taps> rows = axis_taps(in_height, height, mode);
  const std::vector<Taps> columns = axis_taps(in_width, width, mode);
  Tensor out = Tensor::empty({nchw.size(0), nchw.size(1), height, width});
  const float* source = nchw.data().data();
  float* target = out.data().data();
  for (int64_t plane = 0; plane < nchw.size(0) * nchw.size(1); ++plane, source += in_height * in_width) {
    for (const Taps& row : rows) {
      for (const Taps& column : columns) {
        float sum = 0;
        for (size_t i = 0; i < static_cast<size_t>(row.count); ++i) {
          const float* line = source + row.at[i] * in_width;
          float part = 0;
          for (size_t j = 0; j < static_cast<size_t>(column.count); ++j)
            part += line[column.at[j]] * column.weight[j];
          sum += part * row.weight[i];
        }
        *target++ = sum;
      }
    }
  }
  return out;
}

}  // namespace maquette::media
