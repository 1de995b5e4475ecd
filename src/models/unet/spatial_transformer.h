// The attention half of a UNet stage: pixels attend to each other, then to the text (Rombach et al. 2022,
// fig. 3).
//
//   x --+-- norm -- proj_in -- block -- ... -- block -- proj_out --(+)-- out
//       +--------------------------------------------------------- |
//
//   block:  h = h + self(norm1(h));  h = h + cross(norm2(h), text);  h = h + feed_forward(norm3(h))
//
//   x, out  [N, H, W, C]; inside, [N, H W, C] are the same bytes
#pragma once

#include <vector>

#include "nn/attention.h"

namespace maquette::models {

struct FeedForward {
  nn::Linear in;  // to 2 x inner, gated by GELU
  nn::Linear out;

  Tensor operator()(nn::Exec& ex, const Tensor& x, const Tensor& residual) const;
};

struct TransformerBlock {
  nn::LayerNorm norm1;
  nn::Attention self;
  nn::LayerNorm norm2;
  nn::Attention cross;
  nn::LayerNorm norm3;
  FeedForward feed_forward;

  Tensor operator()(nn::Exec& ex, Tensor h, const nn::CrossContext& text) const;
};

struct SpatialTransformer {
  nn::GroupNorm norm;
  nn::Linear proj_in;  // a 1x1 convolution in SD1 files: the same product on channels-last pictures
  std::vector<TransformerBlock> blocks;
  nn::Linear proj_out;

  Tensor operator()(nn::Exec& ex, const Tensor& x, const nn::CrossContext& text) const;
};

// heads: 0 where the configuration does not say; see UNetConfig. channels: of x; 0: as the weights say.
// Throws Error(weights) where its layers do not fit each other.
SpatialTransformer load_spatial_transformer(const nn::Scope& scope, int64_t heads, int64_t norm_groups,
                                            int64_t channels = 0);

}  // namespace maquette::models
