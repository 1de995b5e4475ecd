// The compact upscaler of Real-ESRGAN (SRVGGNetCompact: "realesr-general", "realesr-animevideo"): a plain
// chain of convolutions at the picture's own size, a pixel shuffle, and the enlarged picture itself added at
// the end.
//
//   picture --+-- conv -- prelu -- ... -- conv -- prelu -- conv -- pixel shuffle --(+)-- picture
//             +------------------- nearest-neighbour enlargement ------------------ |
#pragma once

#include <optional>
#include <vector>

#include "models/upscaler/tiles.h"
#include "nn/layers.h"

namespace maquette::models {

struct CompactNetwork {
  struct Layer {
    nn::Conv2d conv;
    Tensor slopes;  // [C] f32 of the parametric ReLU after it (He et al. 2015); undefined after the last
  };
  std::vector<Layer> layers;
  int enlargement = 4;

  int64_t channels() const { return layers.front().conv.in_channels(); }
  int scale() const { return enlargement; }
  int pieces() const;
  int radius() const { return static_cast<int>(layers.size()); }
  int64_t map_bytes(DType type) const;  // per input pixel, as RrdbNetwork

  // x [N, H, W, C] activations -> [N, H scale, W scale, C]
  Tensor operator()(nn::Exec& ex, const Tensor& x, const TileRunner& tiles) const;
};

// Nothing where the scope holds no such network (body.0, body.1 with one slope per channel, ...).
std::optional<CompactNetwork> load_compact(const nn::Scope& scope);

// x > 0 ? x : slope[c] x;  x [..., C]
Tensor prelu(nn::Exec& ex, const Tensor& x, const Tensor& slopes);

}  // namespace maquette::models
