// Reading single elements of activations as f32, for the plain loops.
#pragma once

#include "tensor/tensor.h"

namespace maquette::kernels {

template <typename T>
float element(const Tensor& t, int64_t index) {
  return static_cast<float>(t.data<T>()[static_cast<size_t>(index)]);
}

// Calls body with a value of the element type of an activation: `by_type(x.dtype(), [&](auto zero) { using T
// = decltype(zero); ... })`.
template <typename Body>
void by_type(DType type, const Body& body) {
  switch (type) {
    case DType::f32: body(float{}); return;
    case DType::bf16: body(bfloat16{}); return;
    default: throw Error(ErrorCode::failed, "cannot compute on a tensor of {}", name(type));
  }
}

}  // namespace maquette::kernels
