// Residual-in-residual dense networks: ESRGAN (Wang et al. 2018), Real-ESRGAN (Wang et al. 2021) and the
// embedded upscaler (docs/upscaler.md), in the key layouts in which such files are published.
//
//   picture -- (fold) -- first --+-- body: blocks -- trunk --(+)-- tail -- picture
//                                +---------------------------- |
//
//   block   out = x + 0.2 dense(dense(dense(x)))
//   dense   x_k = act(conv_k(x, x_1 .. x_{k-1}));  out = x + 0.2 conv_last(x, x_1 .. )
//   tail    ESRGAN: nearest-neighbour doubling and a convolution per factor 2, two more convolutions;
//           embedded: convolution, pixel shuffle, convolution
//
// Folding (pixel unshuffle) comes first in the x2 and x1 networks of Real-ESRGAN, whose tail always enlarges
// by 4.
#pragma once

#include <optional>
#include <vector>

#include "models/upscaler/tiles.h"
#include "nn/layers.h"

namespace maquette::models {

struct DenseBlock {
  std::vector<nn::Conv2d> convs;  // the last one brings the channels back and has no activation

  Tensor operator()(nn::Exec& ex, const Tensor& x, nn::Activation activation) const;
};

// One enlargement of the tail.
struct EnlargeStep {
  nn::Conv2d conv;
  int shuffle = 1;  // pixel shuffle after the convolution; 1: nearest-neighbour doubling before it
};

struct RrdbNetwork {
  int fold = 1;  // pixel unshuffle at the input
  nn::Conv2d first;
  std::vector<std::vector<DenseBlock>> blocks;
  nn::Conv2d trunk;
  std::vector<EnlargeStep> enlarge;
  std::optional<nn::Conv2d> high;  // convolution with activation at full size; the embedded network has none
  nn::Conv2d last;
  nn::Activation activation = nn::Activation::leaky_relu;
  bool activate_enlarged = true;  // an activation after each enlargement

  int64_t channels() const { return last.out_channels(); }
  int enlargement() const;  // of the tail alone
  int scale() const { return enlargement() / fold; }
  int pieces() const;                   // how many calls of the tile runner a pass makes
  int radius() const;                   // input pixels that an output pixel looks away, the whole network
  int64_t map_bytes(DType type) const;  // per input pixel: feature maps that span the whole picture

  // x [N, H, W, C] activations, sides multiples of `fold` -> [N, H scale, W scale, C]
  Tensor operator()(nn::Exec& ex, const Tensor& x, const TileRunner& tiles) const;

 private:
  Tensor tail(nn::Exec& ex, Tensor h) const;
  int tail_radius() const;
};

// Finds the key layout (conv_first.., RRDB_trunk.., model.0..) by its first convolution; nothing where the
// scope holds none of them. Throws Error(weights) where the tensors do not fit each other.
std::optional<RrdbNetwork> load_rrdb(const nn::Scope& scope);

}  // namespace maquette::models
