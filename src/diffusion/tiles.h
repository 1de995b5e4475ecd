// Cutting a picture into overlapping tiles, and putting them together again with weights that fade from one
// to the next.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/exec.h"

namespace maquette::diffusion {

// One tile on one axis: pixels [begin, begin + size), counted around the edge where the axis wraps.
struct TileSpan {
  int64_t begin = 0;
  int64_t size = 0;
  int64_t fade_in = 0;   // pixels over which it takes over from the tile before
  int64_t fade_out = 0;  // pixels over which it gives way to the tile after

  // Weight of pixel i of the tile, in (0, 1]: linear over the fades, so that neighbours add up to one.
  float weight(int64_t i) const {
    float w = 1;
    if (i < fade_in) w = (static_cast<float>(i) + 0.5f) / static_cast<float>(fade_in);
    const int64_t left = size - 1 - i;
    if (left < fade_out) w *= (static_cast<float>(left) + 0.5f) / static_cast<float>(fade_out);
    return w;
  }
};

// Tiles of at most `tile` pixels sharing about `overlap`; one tile where the axis is no longer than that. On
// a wrapped axis the last tile reaches over the edge into the first.
std::vector<TileSpan> plan_tiles(int64_t length, int64_t tile, int64_t overlap, bool wraps);

// In other units: latent pixels to picture pixels and back.
TileSpan scaled(const TileSpan& span, int64_t numerator, int64_t denominator);

// Part of a [N, C, H, W] f32 tensor, read around the edges.
Tensor cut_tile(const Tensor& from, const TileSpan& rows, const TileSpan& columns);

// The sum of weighted tiles [N, C, h, w] on a canvas [N, C, H, W] f32.
class TileCanvas {
 public:
  explicit TileCanvas(const Shape& shape)
      : sum_(Tensor::zeros(shape)), weights_(Tensor::zeros({shape[2], shape[3]})) {}

  void add(const Tensor& tile, const TileSpan& rows, const TileSpan& columns);
  Tensor finish();  // divides by the weights; call once

 private:
  Tensor sum_;
  Tensor weights_;
};

// While it lives, an axis wraps inside the network only if it is one tile: otherwise the tiles carry their
// neighbours' pixels themselves.
class TileWrap {
 public:
  TileWrap(kernels::Exec& ex, bool x, bool y) : ex_(ex), saved_(ex.wrap) {
    ex.wrap.x = ex.wrap.x && x;
    ex.wrap.y = ex.wrap.y && y;
  }
  ~TileWrap() { ex_.wrap = saved_; }
  TileWrap(const TileWrap&) = delete;
  TileWrap& operator=(const TileWrap&) = delete;

 private:
  kernels::Exec& ex_;
  kernels::Wrap saved_;
};

}  // namespace maquette::diffusion
