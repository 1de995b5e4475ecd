// The loops of the operations between the products, over runs of contiguous elements of one type. There are
// two sets: a plain one, which is the reference and runs anywhere, and one for AVX-512.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/activation.h"
#include "tensor/dtype.h"

namespace maquette {
class Tensor;
}

namespace maquette::kernels {

struct LayerNormRows {
  const void* x = nullptr;  // [rows, width]
  void* out = nullptr;
  int64_t rows = 0;
  int64_t width = 0;
  const float* weight = nullptr;  // [width]
  const float* bias = nullptr;
  float epsilon = 0;
};

struct PixelRows {
  const void* x = nullptr;  // [pixels, channels]
  int64_t pixels = 0;
  int64_t channels = 0;
};

// x, y and out point to elements of `type`.
struct RowOps {
  std::string_view name;
  DType type;
  // sums[c] = sum over the pixels of d = x[., c] - center[c], squares[c] = sum of d^2
  void (*channel_moments)(const PixelRows& x, const float* center, float* sums, float* squares);
  // out[., c] = x[., c] factor[c] + offset[c], then SiLU if asked
  void (*scale_channels)(const PixelRows& x, const float* factor, const float* offset, bool silu, void* out);
  void (*layer_norm)(const LayerNormRows& rows);
  void (*activate)(Activation kind, const void* x, int64_t count, void* out);
  void (*add_scaled)(const void* x, const void* y, float factor, int64_t count,
                     void* out);  // x + factor y
  void (*scale)(const void* x, float factor, int64_t count, void* out);
  void (*to_f32)(const void* x, int64_t count, float* out);
  void (*from_f32)(const float* x, int64_t count, void* out);
};

std::span<const RowOps> all_row_ops();  // those that this processor can run, best first
const RowOps& row_ops(DType type);      // the best for f32 or bf16; throws Error for other types

// As f32: a converted copy made on all threads, or the tensor itself.
Tensor widen(const Tensor& t);

extern const RowOps kAvx512RowOpsF32;
extern const RowOps kAvx512RowOpsBf16;
void f16_to_f32_avx512(const uint16_t* x, int64_t count, float* out);

}  // namespace maquette::kernels
