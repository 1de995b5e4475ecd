// The convolutional half of a UNet stage (He et al. 2016, as in Ho et al. 2020).
//
//   x --+-- norm1 -- silu -- conv1 --(+)-- norm2 -- silu -- conv2 --(+)-- out
//       |                  silu(t) -- time                           |
//       +--------------------------- skip ---------------------------+
//
//   x    [N, H, W, C_in]
//   t    [N, T]             silu of the time (and, for SDXL, size) embedding
//   out  [N, H, W, C_out]
#pragma once

#include "nn/layers.h"

namespace maquette::models {

struct ResBlock {
  nn::GroupNorm norm1;
  nn::Conv2d conv1;
  std::optional<nn::Linear> time;  // absent in a VAE
  nn::GroupNorm norm2;
  nn::Conv2d conv2;
  std::optional<nn::Conv2d> skip;  // 1x1, present only where C_in != C_out

  Tensor operator()(nn::Exec& ex, const Tensor& x, const Tensor& silu_t = {}) const;
};

// Throws Error(weights) where its layers do not fit each other; sizes: what its place in the network asks
// for.
ResBlock load_res_block(const nn::Scope& scope, const nn::GroupNormOptions& norm,
                        const nn::Sizes& sizes = {});

}  // namespace maquette::models
