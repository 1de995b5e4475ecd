// bf16 elements for the AVX-512 kernels; needs AVX512-BF16.
#pragma once

#include <cstring>

#include "kernels/avx512/vector_math.h"

namespace maquette::kernels::avx512 {
namespace {

struct ElementBf16 {
  static constexpr int64_t kBytes = 2;
  using Bits = uint16_t;
  MAQUETTE_INLINE __m512 broadcast(const char* a) {
    return _mm512_set1_ps(*reinterpret_cast<const float*>(a));
  }
  MAQUETTE_INLINE __m512 multiply_add(__m512 sum, __m512 left, __m512 right) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(left), reinterpret_cast<__m512bh>(right));
  }
  // Sixteen pairs of bf16: of `first` in the lower halves, of `second` in the upper.
  MAQUETTE_INLINE __m512i pairs(__m512 first, __m512 second) {
    alignas(64) static constexpr uint16_t kTurn[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                       21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                       11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return _mm512_permutexvar_epi16(_mm512_load_si512(kTurn),
                                    reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first)));
  }
  MAQUETTE_INLINE __m512 exp2(__m512 x) { return exp2_rough(x); }
  // Sixteen columns of two rows as pairs; without the second row, zeros.
  MAQUETTE_INLINE __m512i values_step(const Bits* row, int64_t stride, __mmask16 mask, bool second) {
    const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, row));
    if (!second) return low;
    const __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, row + stride));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
  }
  MAQUETTE_INLINE void multiply_add(__m512& left, __m512& right, const char* a, const char* b) {
    int32_t pair;
    std::memcpy(&pair, a, 4);
    const __m512bh x = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
    left = _mm512_dpbf16_ps(left, x, reinterpret_cast<__m512bh>(_mm512_loadu_si512(b)));
    right = _mm512_dpbf16_ps(right, x, reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + 64)));
  }
  MAQUETTE_INLINE __m512 load(const void* base, int64_t index, __mmask16 mask) {
    const __m256i half = _mm256_maskz_loadu_epi16(mask, static_cast<const uint16_t*>(base) + index);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
  }
  MAQUETTE_INLINE void store(void* base, int64_t index, __mmask16 mask, __m512 value) {
    _mm256_mask_storeu_epi16(static_cast<uint16_t*>(base) + index, mask,
                             reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value)));
  }
  MAQUETTE_INLINE void store_pair(void* base, int64_t index, __m512 left, __m512 right) {
    _mm512_storeu_si512(static_cast<uint16_t*>(base) + index,
                        reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(right, left)));
  }
  MAQUETTE_INLINE __m512 silu(__m512 x) { return silu_rough(x); }
  MAQUETTE_INLINE __m512 gelu(__m512 x) { return gelu_rough(x); }
};

}  // namespace
}  // namespace maquette::kernels::avx512
