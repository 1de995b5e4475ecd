// Rows of published weights as f32, a run at a time, so that packing needs no widened copy of a whole layer.
#pragma once

#include <cstddef>
#include <memory>

#include "kernels/row_ops.h"
#include "kernels/weight_source.h"

namespace maquette::kernels::avx512 {

// The rows in a type that as_f32 takes: themselves, or widened ones.
inline WeightRows readable(const WeightRows& w) {
  const DType type = w.dtype();
  const bool is_read = type == DType::f32 || type == DType::f16 || type == DType::bf16;
  return is_read ? w : WeightRows(widen(w.whole()));
}

// `count` elements of `row` from `first` on: in place where they are f32, otherwise converted into `scratch`.
inline const float* as_f32(DType type, const void* row, int64_t first, int64_t count, float* scratch) {
  if (type == DType::f32) return static_cast<const float*>(row) + first;
  const uint16_t* from = static_cast<const uint16_t*>(row) + first;
  if (type == DType::f16) {
    f16_to_f32_avx512(from, count, scratch);
  } else {
    row_ops(DType::bf16).to_f32(from, count, scratch);
  }
  return scratch;
}

// Memory for `rows` rows, where they are not read where they lie.
inline std::unique_ptr<std::byte[]> room_for(const WeightRows& w, int64_t rows) {
  if (!w.needs_room()) return nullptr;
  return std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(rows) * w.row_bytes());
}

}  // namespace maquette::kernels::avx512
