// bf16 elements for the AVX-512 kernels; needs AVX512-BF16.
#pragma once

#include <cstring>

#include "kernels/avx512/vector_math.h"

namespace maquette::kernels::avx512 {
namespace {

struct ElementBf16 {
  static constexpr int64_t kBytes = 2;
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
};

}  // namespace
}  // namespace maquette::kernels::avx512
