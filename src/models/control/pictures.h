// Operations on the pictures of a batch [N, H, W, C] that guidance networks need beyond kernels/ops.h.
#pragma once

#include <span>

#include "kernels/ops.h"

namespace maquette::models {

// One picture n times, or n pictures as they are; other counts throw Error(usage).
Tensor repeat_pictures(kernels::Exec& ex, const Tensor& x, int64_t n);
// Picture i times factors[i].
Tensor scale_pictures(kernels::Exec& ex, const Tensor& x, std::span<const float> factors);
// Every pixel replaced by the mean of its picture's channel.
Tensor spread_means(kernels::Exec& ex, const Tensor& x);
// Means of 2 x 2 pixels; at an odd edge, of those that are there (PyTorch's ceil_mode).
Tensor halve_rounding_up(kernels::Exec& ex, const Tensor& x);

}  // namespace maquette::models
