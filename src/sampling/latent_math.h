// The little arithmetic that samplers need on latents: small f32 tensors, plain loops.
#pragma once

#include <initializer_list>
#include <vector>

#include "tensor/tensor.h"

namespace maquette::sampling {

// One summand of `combine`: factor * tensor.
struct Term {
  float factor;
  const Tensor& tensor;
};

// f0 t0 + f1 t1 + ..., each product and each sum rounded to f32, from left to right: the order in which the
// references evaluate their formulas, so that trajectories agree to the last bits. Shapes must be equal.
Tensor combine(std::initializer_list<Term> terms);
Tensor combine(const std::vector<std::pair<float, const Tensor*>>& terms);

Tensor scaled(const Tensor& x, float factor);
Tensor divided(const Tensor& x, float divisor);
// (x - y) / divisor, rounded as written.
Tensor difference_over(const Tensor& x, const Tensor& y, float divisor);
Tensor clamped(const Tensor& x, float low, float high);

// Dynamic thresholding (Saharia et al. 2022, arXiv:2205.11487, section 2.3): per image, with s the `ratio`
// quantile of |x| kept within [1, largest], x is clamped to [-s, s] and divided by s.
Tensor dynamically_thresholded(const Tensor& x, float ratio, float largest);

bool all_finite(const Tensor& x);

}  // namespace maquette::sampling
