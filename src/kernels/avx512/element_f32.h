// f32 elements for the AVX-512 kernels.
#pragma once

#include "kernels/avx512/vector_math.h"

namespace maquette::kernels::avx512 {
namespace {

struct ElementF32 {
  static constexpr int64_t kBytes = 4;
  using Bits = float;
  MAQUETTE_INLINE __m512 broadcast(const char* a) {
    return _mm512_set1_ps(*reinterpret_cast<const float*>(a));
  }
  MAQUETTE_INLINE __m512 multiply_add(__m512 sum, __m512 left, __m512 right) {
    return _mm512_fmadd_ps(left, right, sum);
  }
  MAQUETTE_INLINE __m512 exp2(__m512 x) { return avx512::exp2(x); }
  MAQUETTE_INLINE __m512i values_step(const Bits* row, int64_t, __mmask16 mask, bool) {
    return _mm512_castps_si512(_mm512_maskz_loadu_ps(mask, row));
  }
  MAQUETTE_INLINE void multiply_add(__m512& left, __m512& right, const char* a, const char* b) {
    const __m512 x = _mm512_set1_ps(*reinterpret_cast<const float*>(a));
    left = _mm512_fmadd_ps(x, _mm512_loadu_ps(b), left);
    right = _mm512_fmadd_ps(x, _mm512_loadu_ps(b + 64), right);
  }
  MAQUETTE_INLINE __m512 load(const void* base, int64_t index, __mmask16 mask) {
    return _mm512_maskz_loadu_ps(mask, static_cast<const float*>(base) + index);
  }
  MAQUETTE_INLINE void store(void* base, int64_t index, __mmask16 mask, __m512 value) {
    _mm512_mask_storeu_ps(static_cast<float*>(base) + index, mask, value);
  }
  MAQUETTE_INLINE void store_pair(void* base, int64_t index, __m512 left, __m512 right) {
    _mm512_storeu_ps(static_cast<float*>(base) + index, left);
    _mm512_storeu_ps(static_cast<float*>(base) + index + 16, right);
  }
  MAQUETTE_INLINE __m512 silu(__m512 x) { return _mm512_mul_ps(x, sigmoid(x)); }
  MAQUETTE_INLINE __m512 gelu(__m512 x) { return avx512::gelu(x); }
};

}  // namespace
}  // namespace maquette::kernels::avx512
