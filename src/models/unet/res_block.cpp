#include "models/unet/res_block.h"

namespace maquette::models {

ResBlock load_res_block(const nn::Scope& scope, const nn::GroupNormOptions& norm, const nn::Sizes& sizes) {
  const bool has_skip = scope.has("conv_shortcut.weight");
  const int64_t in = sizes.in;
  ResBlock block{.norm1 = nn::load_group_norm(scope / "norm1", norm, in),
                 .conv1 = {},
                 .time = std::nullopt,
                 .norm2 = {},
                 .conv2 = {},
                 .skip = std::nullopt};
  const int64_t width = block.norm1.channels();
  // Without a skip of its own the input is added to the output as it is.
  const int64_t out = has_skip ? sizes.out : width;
  block.conv1 = nn::load_conv2d(scope / "conv1", 1, {.in = width, .out = 0});
  const int64_t inner = block.conv1.out_channels();
  if (scope.has("time_emb_proj.weight"))
    block.time = nn::load_linear(scope / "time_emb_proj", {.out = inner});
  block.norm2 = nn::load_group_norm(scope / "norm2", norm, inner);
  block.conv2 = nn::load_conv2d(scope / "conv2", 1, {.in = inner, .out = out});
  if (has_skip) {
    block.skip =
        nn::load_conv2d(scope / "conv_shortcut", 1, {.in = width, .out = block.conv2.out_channels()});
  }
  return block;
}

Tensor ResBlock::operator()(nn::Exec& ex, const Tensor& x, const Tensor& silu_t) const {
  Tensor per_image;
  if (time && !silu_t.defined()) {
    throw Error(ErrorCode::weights, "cannot use a residual block that expects a time")
        .with("tensor", time->name)
        .with("expected", "no such tensor in an autoencoder");
  }
  if (time) per_image = kernels::convert(ex, (*time)(ex, silu_t), DType::f32);
  Tensor h = conv1(ex, norm1.with_silu(ex, x), {.per_image = time ? &per_image : nullptr});
  h = norm2.with_silu(ex, h);  // what was normalised makes room for the result
  const Tensor straight = skip ? (*skip)(ex, x) : x;
  return conv2(ex, h, {.residual = &straight});
}

}  // namespace maquette::models
