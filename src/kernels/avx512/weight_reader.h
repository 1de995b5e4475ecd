// Published weights as f32, a run at a time, so that packing needs no widened copy of a whole layer.
#pragma once

#include "kernels/row_ops.h"
#include "tensor/tensor.h"

namespace maquette::kernels::avx512 {

class WeightReader {
 public:
  // Any floating-point type.
  explicit WeightReader(const Tensor& w) : w_(is_read_in_place(w.dtype()) ? w : widen(w)) {}

  // `count` elements from `first` on: in place where they are f32, otherwise converted into `scratch`.
  const float* read(int64_t first, int64_t count, float* scratch) const {
    if (w_.dtype() == DType::f32) return w_.data().data() + first;
    const uint16_t* from = static_cast<const uint16_t*>(w_.raw()) + first;
    if (w_.dtype() == DType::f16) {
      f16_to_f32_avx512(from, count, scratch);
    } else {
      row_ops(DType::bf16).to_f32(from, count, scratch);
    }
    return scratch;
  }

 private:
  static bool is_read_in_place(DType type) {
    return type == DType::f32 || type == DType::f16 || type == DType::bf16;
  }

  Tensor w_;
};

}  // namespace maquette::kernels::avx512
