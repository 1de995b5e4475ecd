// The two kinds of numbers that attention multiplies on tiles, bf16 and f32 in parts, and what differs for
// them. Included by attention_amx.cpp alone.
#pragma once

#include "kernels/avx512/element_bf16.h"
#include "kernels/avx512/element_f32.h"

namespace maquette::kernels::avx512 {
namespace {

// The upper halves of two vectors as pairs of bf16.
MAQUETTE_INLINE __m512i join(__m512 first, __m512 second) {
  const __m512i low = _mm512_srli_epi32(_mm512_castps_si512(first), 16);
  return _mm512_ternarylogic_epi32(low, _mm512_castps_si512(second), _mm512_set1_epi32(-65536), 0xf8);
}

// x rounded to eight bits, which its upper half holds.
MAQUETTE_INLINE __m512 rounded(__m512 x) {
  const __m512i half = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
  return _mm512_castsi512_ps(_mm512_and_si512(half, _mm512_set1_epi32(-65536)));
}

// The next part of two numbers each, as pairs; takes it off both.
MAQUETTE_INLINE __m512i next_part(__m512& first, __m512& second) {
  const __m512 one = rounded(first);
  const __m512 other = rounded(second);
  first = _mm512_sub_ps(first, one);
  second = _mm512_sub_ps(second, other);
  return join(one, other);
}

struct Bf16Form {
  using Element = ElementBf16;
  static constexpr int kParts = 1;       // of queries and keys
  static constexpr int kValueParts = 1;  // of weights and values
  static constexpr int64_t kPanels = 2;  // of 32 keys in a block
  static constexpr int kUnits = 2;       // rows of a panel that are weighed behind a product

  // Elements i and i + 1 of sixteen rows, as pairs of each part.
  MAQUETTE_INLINE void pairs(const char* rows, __m512i offsets, int64_t i, bool second, __m512i* parts) {
    if (second) {
      parts[0] = _mm512_i32gather_epi32(offsets, rows + 2 * i, 1);
    } else {
      parts[0] = _mm512_srli_epi32(_mm512_i32gather_epi32(offsets, rows + 2 * (i - 1), 1), 16);
    }
  }
  // For 2^x, the bits of a float are taken for a number: x + 127 in units of 2^-23 is right but for its
  // fraction, which is off by the factor m / 2^(m - 1) of a mantissa m. A cubic divides by it; relative error
  // 7e-4.
  static constexpr float kUnit = 8388608;
  MAQUETTE_INLINE float scale(float factor) { return factor * kUnit; }
  MAQUETTE_INLINE float offset(float shift) { return (127 - shift) * kUnit; }
  template <bool kShifted>
  MAQUETTE_INLINE __m512 weight(__m512 score, __m512 scale, __m512 offset) {
    __m512 x = _mm512_fmadd_ps(score, scale, offset);
    if (kShifted) x = _mm512_max_ps(x, _mm512_setzero_ps());
    const __m512i bits = _mm512_cvtps_epi32(x);
    const __m512 m = _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(bits, _mm512_set1_epi32(0x007fffff), _mm512_set1_epi32(0x3f800000), 0xea));
    __m512 p = _mm512_set1_ps(-0.106444846f);
    p = _mm512_fmadd_ps(p, m, _mm512_set1_ps(0.707472026f));
    p = _mm512_fmadd_ps(p, m, _mm512_set1_ps(-1.3773021f));
    p = _mm512_fmadd_ps(p, m, _mm512_set1_ps(1.77561216f));
    return _mm512_mul_ps(_mm512_castsi512_ps(bits), p);
  }
  // Cut off, not rounded: what that makes smaller it makes smaller in the sum of the weights as well.
  MAQUETTE_INLINE __m512i weight_part(__m512 first, __m512 second) { return join(first, second); }
};

struct SplitForm {
  using Element = ElementF32;
  static constexpr int kParts = 3;
  static constexpr int kValueParts = 2;
  static constexpr int64_t kPanels = 1;
  static constexpr int kUnits = 1;

  MAQUETTE_INLINE void pairs(const char* rows, __m512i offsets, int64_t i, bool second, __m512i* parts) {
    __m512 left = _mm512_i32gather_ps(offsets, rows + 4 * i, 1);
    __m512 right = second ? _mm512_i32gather_ps(offsets, rows + 4 * (i + 1), 1) : _mm512_setzero_ps();
    for (int part = 0; part < kParts; ++part) parts[part] = next_part(left, right);
  }
  MAQUETTE_INLINE float scale(float factor) { return factor; }
  MAQUETTE_INLINE float offset(float shift) { return -shift; }
  template <bool kShifted>
  MAQUETTE_INLINE __m512 weight(__m512 score, __m512 scale, __m512 offset) {
    return exp2(_mm512_fmadd_ps(score, scale, offset));
  }
  MAQUETTE_INLINE __m512i weight_part(__m512& first, __m512& second) { return next_part(first, second); }
};

}  // namespace
}  // namespace maquette::kernels::avx512
