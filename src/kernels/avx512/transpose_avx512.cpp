// In four rounds that double the length of what lies together: pairs of steps, then of pairs, inside the four
// quarters of a register; then the quarters themselves.
#include <immintrin.h>

#include "kernels/avx512/transpose.h"

namespace maquette::kernels::avx512 {

void transpose_steps(const void* const* rows, uint32_t* out, int64_t pitch) {
  __m512i pairs[16];
  for (int i = 0; i < 16; i += 2) {
    const __m512i even = _mm512_loadu_si512(rows[i]);
    const __m512i odd = _mm512_loadu_si512(rows[i + 1]);
    pairs[i] = _mm512_unpacklo_epi32(even, odd);
    pairs[i + 1] = _mm512_unpackhi_epi32(even, odd);
  }
  // fours[4 i + j]: steps j, j + 4, j + 8, j + 12 of rows 4 i to 4 i + 3.
  __m512i fours[16];
  for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  const auto write = [&](int step, __m512i value) { _mm512_storeu_si512(out + step * pitch, value); };
  for (int j = 0; j < 4; ++j) {
    const __m512i upper_even = _mm512_shuffle_i32x4(fours[j], fours[4 + j], 0x88);
    const __m512i lower_even = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], 0x88);
    const __m512i upper_odd = _mm512_shuffle_i32x4(fours[j], fours[4 + j], 0xdd);
    const __m512i lower_odd = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], 0xdd);
    write(j, _mm512_shuffle_i32x4(upper_even, lower_even, 0x88));
    write(j + 4, _mm512_shuffle_i32x4(upper_odd, lower_odd, 0x88));
    write(j + 8, _mm512_shuffle_i32x4(upper_even, lower_even, 0xdd));
    write(j + 12, _mm512_shuffle_i32x4(upper_odd, lower_odd, 0xdd));
  }
}

}  // namespace maquette::kernels::avx512
