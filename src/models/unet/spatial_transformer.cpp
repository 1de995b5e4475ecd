#include "models/unet/spatial_transformer.h"

#include <algorithm>

namespace maquette::models {

namespace {

constexpr float kTransformerNormEpsilon = 1e-6f;  // of the group norm before the blocks; resnets have 1e-5

// Where the file does not say: SD1 has 8 heads and convolutional projections, SD2 and SDXL heads of 64 (and a
// wide text, which tells them apart where stable-diffusion.cpp wrote their projections as convolutions).
int64_t default_heads(const nn::Scope& scope, int64_t channels) {
  constexpr int64_t kWideText = 1024;
  constexpr std::string_view kKeys = "transformer_blocks.0.attn2.to_k.weight";
  const bool convolutional = scope.shape("proj_in.weight").rank() == 4;
  const bool wide = scope.has(kKeys) && scope.shape(kKeys).rank() == 2 && scope.shape(kKeys)[1] >= kWideText;
  return convolutional && !wide ? 8 : std::max<int64_t>(channels / 64, 1);
}

FeedForward load_feed_forward(const nn::Scope& scope, int64_t width) {
  FeedForward feed{.in = nn::load_linear(scope / "net.0.proj", {.in = width}), .out = {}};
  feed.out = nn::load_linear(scope / "net.2", {.out = width});
  if (feed.in.out_features() != 2 * feed.out.in_features()) {
    (scope / "net.0.proj")
        .refuse("weight", feed.in.weights->source(0).shape(),
                fmt::format("[{}, {}], a gate and a value for each input of net.2",
                            2 * feed.out.in_features(), width));
  }
  return feed;
}

TransformerBlock load_block(const nn::Scope& scope, int64_t heads, int64_t width) {
  constexpr float kEpsilon = 1e-5f;
  return {.norm1 = nn::load_layer_norm(scope / "norm1", kEpsilon, width),
          .self = nn::load_self_attention(scope / "attn1", heads, width),
          .norm2 = nn::load_layer_norm(scope / "norm2", kEpsilon, width),
          .cross = nn::load_cross_attention(scope / "attn2", heads, width),
          .norm3 = nn::load_layer_norm(scope / "norm3", kEpsilon, width),
          .feed_forward = load_feed_forward(scope / "ff", width)};
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

SpatialTransformer load_spatial_transformer(const nn::Scope& scope, int64_t heads, int64_t norm_groups,
                                            int64_t channels) {
  SpatialTransformer transformer;
  transformer.norm = nn::load_group_norm(
      scope / "norm", {.groups = norm_groups, .epsilon = kTransformerNormEpsilon}, channels);
  const int64_t outer = transformer.norm.channels();
  transformer.proj_in = nn::load_linear(scope / "proj_in", {.in = outer});
  const int64_t width = transformer.proj_in.out_features();
  transformer.proj_out = nn::load_linear(scope / "proj_out", {.in = width, .out = outer});
  const int64_t used = heads > 0 ? heads : default_heads(scope, width);
  const int count = scope.count("transformer_blocks");
  for (int i = 0; i < count; ++i) {
    transformer.blocks.push_back(load_block(scope / fmt::format("transformer_blocks.{}", i), used, width));
  }
  return transformer;
}

}  // namespace maquette::models
