#include "models/unet/spatial_transformer.h"

#include <algorithm>

namespace maquette::models {

namespace {

constexpr float kTransformerNormEpsilon = 1e-6f;  // of the group norm before the blocks; resnets have 1e-5

// Where the file does not say: SD1 has 8 heads and convolutional projections, SD2 and SDXL heads of 64.
int64_t default_heads(const nn::Scope& scope, int64_t channels) {
  const bool convolutional = scope.get("proj_in.weight").rank() == 4;
  return convolutional ? 8 : std::max<int64_t>(channels / 64, 1);
}

TransformerBlock load_block(const nn::Scope& scope, int64_t heads) {
  return {.norm1 = nn::load_layer_norm(scope / "norm1"),
          .self = nn::load_self_attention(scope / "attn1", heads),
          .norm2 = nn::load_layer_norm(scope / "norm2"),
          .cross = nn::load_cross_attention(scope / "attn2", heads),
          .norm3 = nn::load_layer_norm(scope / "norm3"),
          .feed_forward = {.in = nn::load_linear(scope / "ff.net.0.proj"),
                           .out = nn::load_linear(scope / "ff.net.2")}};
}

}  // namespace

Tensor FeedForward::operator()(nn::Exec& ex, const Tensor& x, const Tensor& residual) const {
  return out(ex, in(ex, x, {.gated = true}), {.residual = &residual});
}

Tensor TransformerBlock::operator()(nn::Exec& ex, Tensor h, const nn::CrossContext& text) const {
  h = self.self(ex, norm1(ex, h), h);
  h = cross.cross(ex, norm2(ex, h), text, h);
  return feed_forward(ex, norm3(ex, h), h);
}

Tensor SpatialTransformer::operator()(nn::Exec& ex, const Tensor& x, const nn::CrossContext& text) const {
  const Shape tokens{x.size(0), x.size(1) * x.size(2), x.size(3)};
  Tensor h = proj_in(ex, norm(ex, x).reshape(tokens));
  for (const TransformerBlock& block : blocks) h = block(ex, h, text);
  const Tensor residual = x.reshape(tokens);
  return proj_out(ex, h, {.residual = &residual}).reshape(x.shape());
}

SpatialTransformer load_spatial_transformer(const nn::Scope& scope, int64_t heads, int64_t norm_groups) {
  SpatialTransformer transformer;
  transformer.norm =
      nn::load_group_norm(scope / "norm", {.groups = norm_groups, .epsilon = kTransformerNormEpsilon});
  transformer.proj_in = nn::load_linear(scope / "proj_in");
  transformer.proj_out = nn::load_linear(scope / "proj_out");
  const int64_t channels = transformer.proj_in.out_features();
  const int64_t used = heads > 0 ? heads : default_heads(scope, channels);
  if (channels % used != 0) {
    throw Error(ErrorCode::weights, "cannot split {} channels into {} heads", channels, used)
        .with("tensor", scope.full_name("proj_in.weight"));
  }
  for (int i = 0; i < scope.count("transformer_blocks"); ++i) {
    transformer.blocks.push_back(load_block(scope / fmt::format("transformer_blocks.{}", i), used));
  }
  return transformer;
}

}  // namespace maquette::models
