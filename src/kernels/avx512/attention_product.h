// The products inside attention on AVX-512 registers. Included by one file per element type.
#pragma once

#include "kernels/avx512/attention_tile.h"

namespace maquette::kernels::avx512 {
namespace {

// sums (+)= a b for up to 14 rows and 16 kVectors columns.
template <typename Element, int kRows, int kVectors>
__attribute__((noinline)) void multiply(const Product& p) {
  __m512 sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = p.accumulate ? _mm512_loadu_ps(p.sums + r * p.sums_pitch + 16 * v) : _mm512_setzero_ps();
    }
  }
  const int64_t pitch = p.a_pitch;
  const char* third[5] = {p.a, p.a + 3 * pitch, p.a + 6 * pitch, p.a + 9 * pitch, p.a + 12 * pitch};
  const char* b = p.b;
  for (int64_t step = 0; step < p.steps; ++step, b += 64 * kVectors) {
    __m512 right[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) right[v] = _mm512_loadu_ps(b + 64 * v);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const __m512 left = Element::broadcast(third[r / 3] + (r % 3) * pitch + 4 * step);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Element::multiply_add(sum[r][v], left, right[v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) _mm512_storeu_ps(p.sums + r * p.sums_pitch + 16 * v, sum[r][v]);
  }
}

template <typename Element, int kRows, int kVectors>
struct Rows {
  static void run(const Product& p, int64_t rows) {
    if (rows == kRows) return multiply<Element, kRows, kVectors>(p);
    Rows<Element, kRows - 1, kVectors>::run(p, rows);
  }
};
template <typename Element, int kVectors>
struct Rows<Element, 0, kVectors> {
  static void run(const Product&, int64_t) {}
};

// All rows, in tiles of nearly equal height that fill the registers.
template <typename Element, int kVectors>
void multiply_rows(Product p, int64_t rows) {
  constexpr int kMost = kVectors <= 2 ? 14 : kVectors == 3 ? 9 : kVectors == 4 ? 6 : 5;
  const int64_t tiles = (rows + kMost - 1) / kMost;
  const char* a = p.a;
  float* sums = p.sums;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t begin = rows * i / tiles;
    p.a = a + begin * p.a_pitch;
    p.sums = sums + begin * p.sums_pitch;
    Rows<Element, kMost, kVectors>::run(p, rows * (i + 1) / tiles - begin);
  }
}

template <typename Element>
void multiply_values(const Product& p, int64_t rows, int64_t vectors) {
  switch (vectors) {
    case 1: return multiply_rows<Element, 1>(p, rows);
    case 2: return multiply_rows<Element, 2>(p, rows);
    case 3: return multiply_rows<Element, 3>(p, rows);
    case 4: return multiply_rows<Element, 4>(p, rows);
    default: return multiply_rows<Element, 5>(p, rows);
  }
}

// As attention_tile.h asks for it.
template <typename Element>
struct RegisterProducts {
  static constexpr int64_t kQueryBlock = 56;  // four tiles of fourteen rows
  static constexpr int64_t kRowMultiple = 1;
  static void scores(Product p, int64_t rows, int64_t width) {
    for (int64_t key = 0; key < width; key += kKeyPanel, p.b += p.steps * 128, p.sums += kKeyPanel) {
      multiply_rows<Element, 2>(p, rows);
    }
  }
  static void values(const Product& p, int64_t rows, int64_t vectors) {
    multiply_values<Element>(p, rows, vectors);
  }
};

}  // namespace
}  // namespace maquette::kernels::avx512
