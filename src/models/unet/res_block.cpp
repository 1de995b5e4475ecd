#include "models/unet/res_block.h"

namespace maquette::models {

ResBlock load_res_block(const nn::Scope& scope, const nn::GroupNormOptions& norm) {
  ResBlock block{.norm1 = nn::load_group_norm(scope / "norm1", norm),
                 .conv1 = nn::load_conv2d(scope / "conv1"),
                 .time = std::nullopt,
                 .norm2 = nn::load_group_norm(scope / "norm2", norm),
                 .conv2 = nn::load_conv2d(scope / "conv2"),
                 .skip = std::nullopt};
  if (scope.has("time_emb_proj.weight")) block.time = nn::load_linear(scope / "time_emb_proj");
  if (scope.has("conv_shortcut.weight")) block.skip = nn::load_conv2d(scope / "conv_shortcut");
  return block;
}

Tensor ResBlock::operator()(nn::Exec& ex, const Tensor& x, const Tensor& silu_t) const {
  Tensor per_image;
  if (time) per_image = kernels::convert(ex, (*time)(ex, silu_t), DType::f32);
  Tensor h = conv1(ex, norm1.with_silu(ex, x), {.per_image = time ? &per_image : nullptr});
  h = norm2.with_silu(ex, h);  // what was normalised makes room for the result
  const Tensor straight = skip ? (*skip)(ex, x) : x;
  return conv2(ex, h, {.residual = &straight});
}

}  // namespace maquette::models
