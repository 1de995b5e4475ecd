#include "diffusion/tiles.h"

#include <algorithm>

namespace maquette::diffusion {

std::vector<TileSpan> plan_tiles(int64_t length, int64_t tile, int64_t overlap, bool wraps) {
  if (length <= tile) return {{.begin = 0, .size = length}};
  overlap = std::clamp<int64_t>(overlap, 1, tile / 2);
  const int64_t stride = tile - overlap;
  std::vector<TileSpan> spans;
  if (wraps) {
    const int64_t count = (length + stride - 1) / stride;
    const auto begin_of = [&](int64_t i) { return i * length / count; };
    for (int64_t i = 0; i < count; ++i) {
      const int64_t from_last = i > 0 ? begin_of(i) - begin_of(i - 1) : length - begin_of(count - 1);
      const int64_t to_next = begin_of(i + 1) - begin_of(i);
      spans.push_back(
          {.begin = begin_of(i), .size = tile, .fade_in = tile - from_last, .fade_out = tile - to_next});
    }
    return spans;
  }
  const int64_t count = (length - overlap + stride - 1) / stride;
  for (int64_t i = 0; i < count; ++i) {
    spans.push_back({.begin = i * (length - tile) / (count - 1), .size = tile});
  }
  for (int64_t i = 0; i + 1 < count; ++i) {
    TileSpan& left = spans[static_cast<size_t>(i)];
    TileSpan& right = spans[static_cast<size_t>(i + 1)];
    left.fade_out = right.fade_in = left.begin + left.size - right.begin;
  }
  return spans;
}

Tensor cut_tile(const Tensor& from, const TileSpan& rows, const TileSpan& columns) {
  const int64_t planes = from.size(0) * from.size(1);
  Tensor out = Tensor::empty({from.size(0), from.size(1), rows.size, columns.size});
  float* to = out.data().data();
  for (int64_t plane = 0; plane < planes; ++plane) {
    for (int64_t y = 0; y < rows.size; ++y) {
      const int64_t row = (rows.begin + y) % from.size(2);
      const float* source = from.data().data() + (plane * from.size(2) + row) * from.size(3);
      for (int64_t x = 0; x < columns.size; ++x) *to++ = source[(columns.begin + x) % from.size(3)];
    }
  }
  return out;
}

TileSpan scaled(const TileSpan& span, int64_t numerator, int64_t denominator) {
  return {.begin = span.begin * numerator / denominator,
          .size = span.size * numerator / denominator,
          .fade_in = span.fade_in * numerator / denominator,
          .fade_out = span.fade_out * numerator / denominator};
}

void TileCanvas::add(const Tensor& tile, const TileSpan& rows, const TileSpan& columns) {
  const int64_t planes = tile.size(0) * tile.size(1);
  const int64_t height = sum_.size(2);
  const int64_t width = sum_.size(3);
  for (int64_t y = 0; y < rows.size; ++y) {
    const int64_t row = (rows.begin + y) % height;
    for (int64_t x = 0; x < columns.size; ++x) {
      const int64_t column = (columns.begin + x) % width;
      const float weight = rows.weight(y) * columns.weight(x);
      weights_.data()[static_cast<size_t>(row * width + column)] += weight;
      for (int64_t plane = 0; plane < planes; ++plane) {
        sum_.data()[static_cast<size_t>((plane * height + row) * width + column)] +=
            weight * tile.data()[static_cast<size_t>((plane * rows.size + y) * columns.size + x)];
      }
    }
  }
}

Tensor TileCanvas::finish() {
  auto sum = sum_.data();
  const auto weights = weights_.data();
  for (size_t i = 0; i < sum.size(); ++i) sum[i] /= weights[i % weights.size()];
  return sum_;
}

}  // namespace maquette::diffusion
