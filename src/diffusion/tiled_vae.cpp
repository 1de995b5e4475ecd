// Each tile is decoded on its own and added to the sum with weights that fall linearly over the overlaps; the sum
// of weights divides at the end. Group norms see one tile instead of the whole picture, which shifts tones a
// little from tile to tile: the fades hide it.
#include "diffusion/tiled_vae.h"

#include <algorithm>

#include "diffusion/tile_plan.h"

namespace maquette::diffusion {

std::vector<TileSpan> plan_tiles(int64_t length, int64_t tile, int64_t overlap, bool wraps) {
  if (length <= tile) return {{.begin = 0, .size = length}};
  overlap = std::clamp<int64_t>(overlap, 1, tile / 2);
  const int64_t stride = tile - overlap;
  std::vector<TileSpan> spans;
  if (wraps) {
    const int64_t count = (length + stride - 1) / stride;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t begin = i * length / count;
      const int64_t shared = begin + tile - (i + 1) * length / count;
      const int64_t before = tile - (begin - (i + count - 1) * length / count + (i == 0 ? length : 0));
      spans.push_back({.begin = begin, .size = tile, .fade_in = before, .fade_out = shared});
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

namespace {

// Part of a [N, C, H, W] tensor, read around the edges.
Tensor cut(const Tensor& from, const TileSpan& rows, const TileSpan& columns) {
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

// The sum of weighted tiles.
class Canvas {
 public:
  explicit Canvas(const Shape& shape) : sum_(Tensor::zeros(shape)), weights_(Tensor::zeros({shape[2], shape[3]})) {}

  void add(const Tensor& tile, const TileSpan& rows, const TileSpan& columns) {
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
  Tensor finish() {
    auto sum = sum_.data();
    const auto weights = weights_.data();
    for (size_t i = 0; i < sum.size(); ++i) sum[i] /= weights[i % weights.size()];
    return sum_;
  }

 private:
  Tensor sum_;
  Tensor weights_;
};

// Axes with more than one tile carry their neighbours' pixels themselves; the others wrap inside the network.
struct WrapScope {
  WrapScope(kernels::Exec& ex, bool x, bool y) : ex_(ex), saved_(ex.wrap) {
    ex.wrap.x = ex.wrap.x && x;
    ex.wrap.y = ex.wrap.y && y;
  }
  ~WrapScope() { ex_.wrap = saved_; }
  kernels::Exec& ex_;
  kernels::Wrap saved_;
};

}  // namespace

Tensor decode_tiled(kernels::Exec& ex, const models::Vae& vae, const Tensor& latent, const TileOptions& options) {
  const auto rows = plan_tiles(latent.size(2), options.tile, options.overlap, ex.wrap.y);
  const auto columns = plan_tiles(latent.size(3), options.tile, options.overlap, ex.wrap.x);
  const int total = static_cast<int>(rows.size() * columns.size());
  if (total == 1) return vae.decode(ex, latent);

  const WrapScope wrap(ex, columns.size() == 1, rows.size() == 1);
  const int64_t f = vae.factor();
  Canvas canvas({latent.size(0), 3, latent.size(2) * f, latent.size(3) * f});
  int done = 0;
  for (const TileSpan& row : rows) {
    for (const TileSpan& column : columns) {
      canvas.add(vae.decode(ex, cut(latent, row, column)), scaled(row, f, 1), scaled(column, f, 1));
      if (options.progress) options.progress(++done, total);
    }
  }
  return canvas.finish();
}

models::Moments encode_tiled(kernels::Exec& ex, const models::Vae& vae, const Tensor& picture,
                             const TileOptions& options) {
  const int64_t f = vae.factor();
  const auto rows = plan_tiles(picture.size(2) / f, options.tile, options.overlap, ex.wrap.y);
  const auto columns = plan_tiles(picture.size(3) / f, options.tile, options.overlap, ex.wrap.x);
  if (rows.size() * columns.size() == 1) return vae.encode(ex, picture);

  const WrapScope wrap(ex, columns.size() == 1, rows.size() == 1);
  const Shape shape{picture.size(0), vae.latent_channels(), picture.size(2) / f, picture.size(3) / f};
  Canvas mean(shape);
  Canvas log_variance(shape);
  for (const TileSpan& row : rows) {
    for (const TileSpan& column : columns) {
      const models::Moments part = vae.encode(ex, cut(picture, scaled(row, f, 1), scaled(column, f, 1)));
      mean.add(part.mean, row, column);
      log_variance.add(part.log_variance, row, column);
    }
  }
  return {.mean = mean.finish(), .log_variance = log_variance.finish()};
}

}  // namespace maquette::diffusion
