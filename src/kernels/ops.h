// The operations between the matrix products: norms, activations, sums, resampling, layout. Activations are
// f32 or bf16, channels last; sums are taken in f32 (norms: of f32 pairs, wide enough for 2e-5).
#pragma once

#include "kernels/activation.h"
#include "kernels/exec.h"

namespace maquette::kernels {

// Group normalisation over [H, W, C/groups] of each picture of x [N, ..., C], then scale and shift per
// channel, then SiLU if asked (Wu & He 2018). weight, bias: [C] f32.
struct GroupNormParameters {
  const Tensor* weight = nullptr;
  const Tensor* bias = nullptr;
  int64_t groups = 32;
  float epsilon = 1e-5f;
  bool silu = false;
};
Tensor group_norm(Exec& ex, const Tensor& x, const GroupNormParameters& parameters);

// Layer normalisation of the innermost dimension (Ba et al. 2016).
Tensor layer_norm(Exec& ex, const Tensor& x, const Tensor& weight, const Tensor& bias, float epsilon = 1e-5f);

Tensor activation(Exec& ex, const Tensor& x, Activation kind);
Tensor softmax_rows(Exec& ex, const Tensor& x);  // over the innermost dimension

Tensor add(Exec& ex, const Tensor& a, const Tensor& b);
Tensor scale(Exec& ex, const Tensor& x, float factor);
Tensor add_scaled(Exec& ex, const Tensor& a, const Tensor& b, float factor);  // a + factor b

// [N, H, W, A] and [N, H, W, B] -> [N, H, W, A + B]
Tensor concat_channels(Exec& ex, const Tensor& a, const Tensor& b);
// [N, T, C] and [N, S, C] -> [N, T + S, C]
Tensor concat_tokens(Exec& ex, const Tensor& a, const Tensor& b);

// Nearest-neighbour resampling of [N, H, W, C] to another size, source index = floor(i * from / to) as
// PyTorch.
Tensor resize_nearest(Exec& ex, const Tensor& x, int64_t height, int64_t width);
// Means of factor x factor blocks (adapters of T2I kind). Sizes that do not divide: the rest is cut, as
// PyTorch.
Tensor average_pool(Exec& ex, const Tensor& x, int factor);
// [N, H f, W f, C] -> [N, H, W, C f f], channel order as PyTorch's pixel_unshuffle (c, dy, dx).
Tensor pixel_unshuffle(Exec& ex, const Tensor& x, int factor);
// [N, H, W, C f f] -> [N, H f, W f, C]; channel order (c, dy, dx) as PyTorch, or (dy, dx, c) as TensorFlow.
enum class ShuffleOrder { pytorch, tensorflow };
Tensor pixel_shuffle(Exec& ex, const Tensor& x, int factor, ShuffleOrder order);

// The borders of the engine.
Tensor to_channels_last(Exec& ex, const Tensor& nchw);  // [N, C, H, W] f32 -> [N, H, W, C] activations
Tensor to_channels_first(const Tensor& nhwc);           // [N, H, W, C] -> [N, C, H, W] f32
Tensor convert(Exec& ex, const Tensor& x, DType type);  // f32 <-> bf16; itself if already so

// Copies x [N, H, W, C] into a larger picture whose borders are read across the opposite edges.
struct Padding {
  int top = 0, left = 0, bottom = 0, right = 0;
};
Tensor pad_wrapped(Exec& ex, const Tensor& x, const Padding& padding);

}  // namespace maquette::kernels
