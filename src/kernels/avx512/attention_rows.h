// Rows of queries and keys, whatever multiplies them. Included by one file per element type.
#pragma once

#include "kernels/avx512/vector_math.h"

namespace maquette::kernels::avx512 {
namespace {

MAQUETTE_INLINE __mmask16 lanes_left(int64_t count) {
  return count >= 16 ? 0xffff : count <= 0 ? 0 : static_cast<__mmask16>((1u << count) - 1);
}

// While it lives, numbers below 2^-126 count as zero: weights that small are nothing beside the largest,
// which is about 1, and the processor would take ten times as long for each.
struct TinyIsZero {
  TinyIsZero() { _mm_setcsr(before | 0x8040); }
  ~TinyIsZero() { _mm_setcsr(before); }
  const unsigned before = _mm_getcsr();
};

// Scores that are known to lie within +-kSafeScore (to base 2) need no maximum: 2^60 times 2^24 keys and any
// value of a network stays far inside f32 and bf16, and so does 2^-60.
constexpr float kSafeScore = 60;

// The length of the longest of `count` rows of `size` elements.
template <typename Element>
float longest_row(const void* rows, int64_t stride, int64_t count, int64_t size) {
  float longest = 0;
  for (int64_t row = 0; row < count; ++row) {
    __m512 sum = _mm512_setzero_ps();
    for (int64_t i = 0; i < size; i += 16) {
      const __m512 x = Element::load(rows, row * stride + i, lanes_left(size - i));
      sum = _mm512_fmadd_ps(x, x, sum);
    }
    const float square = _mm512_reduce_add_ps(sum);
    if (!(square <= longest)) longest = square;  // also takes what is not a number
  }
  return __builtin_sqrtf(longest);
}

}  // namespace
}  // namespace maquette::kernels::avx512
