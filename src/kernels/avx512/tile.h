// The register block of the AVX-512 cores: up to 14 rows by 32 columns, 28 of the 32 registers. Included by
// one file per element type, which says how to multiply and how to store.
//
// Four bytes of A (one f32, or two bf16) are broadcast and meet 128 bytes of B (32 columns) in each step: for
// 28 multiply-adds there are 16 loads, so that the multipliers and not the load ports are the limit.
#pragma once

#include "kernels/avx512/core.h"
#include "kernels/avx512/vector_math.h"

namespace maquette::kernels::avx512 {
namespace {

constexpr int kTileRows = 14;

// Element: struct with
//   static __m512 multiply_add(__m512 sum, const char* a, const char* b)    b: 64 bytes
//   static __m512 load(const void* base, int64_t index, __mmask16 mask)
//   static void store(void* base, int64_t index, __mmask16 mask, __m512 value)
template <typename Element>
MAQUETTE_INLINE void finish_row(const Finish& f, __m512 left, __m512 right, int64_t row, int64_t panel) {
  const float* bias = f.bias + panel * kPanelColumns;
  left = _mm512_add_ps(left, _mm512_loadu_ps(bias));
  right = _mm512_add_ps(right, _mm512_loadu_ps(bias + 16));
  if (f.gated) {
    const int64_t column = panel * 16;
    const __mmask16 mask =
        f.columns - column >= 16 ? 0xffff : static_cast<__mmask16>((1u << (f.columns - column)) - 1);
    const int64_t index = row * f.columns + column;
    __m512 value = _mm512_mul_ps(activate(f.activation, left), gelu(right));
    if (f.residual) value = _mm512_add_ps(value, Element::load(f.residual, index, mask));
    Element::store(f.out, index, mask, value);
    return;
  }
  for (int half = 0; half < 2; ++half) {
    const int64_t column = panel * kPanelColumns + half * 16;
    const int64_t valid = f.columns - column;
    if (valid <= 0) return;
    const __mmask16 mask = valid >= 16 ? 0xffff : static_cast<__mmask16>((1u << valid) - 1);
    const int64_t index = row * f.columns + column;
    __m512 value = half == 0 ? left : right;
    if (f.per_image) {
      const float* shift = f.per_image + row / f.rows_per_image * f.columns + column;
      value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, shift));
    }
    value = activate(f.activation, value);
    if (f.residual) value = _mm512_add_ps(value, Element::load(f.residual, index, mask));
    Element::store(f.out, index, mask, value);
  }
}

// Writes the sums of a tile, [rows][pitch] f32, as finished output.
template <typename Element>
__attribute__((noinline)) void finish_tile(const Finish& f, const float* sums, int64_t pitch, int64_t row,
                                           int rows, int64_t panel) {
  for (int r = 0; r < rows; ++r) {
    finish_row<Element>(f, _mm512_loadu_ps(sums + r * pitch), _mm512_loadu_ps(sums + r * pitch + 16), row + r,
                        panel);
  }
}

template <typename Element, int kRows>
__attribute__((noinline)) void multiply_tile(const PanelJob& job, const char* a, float* sums,
                                             int64_t sums_pitch, const float* before) {
  __m512 sum[kRows][2];
  if (before) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      sum[r][0] = _mm512_loadu_ps(before + r * job.sums_pitch);
      sum[r][1] = _mm512_loadu_ps(before + r * job.sums_pitch + 16);
    }
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) sum[r][0] = sum[r][1] = _mm512_setzero_ps();
  }
  const int64_t pitch = job.row_pitch;
  const int64_t steps = job.depth * Element::kBytes / 4;
  const char* b = job.b;
  for (int64_t tap = 0; tap < job.taps; ++tap) {
    const char* row0 = a + job.tap_offset[tap];
    const char* third[5] = {row0, row0 + 3 * pitch, row0 + 6 * pitch, row0 + 9 * pitch, row0 + 12 * pitch};
    for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const char* at = third[r / 3] + (r % 3) * pitch + 4 * step;
        Element::multiply_add(sum[r][0], sum[r][1], at, b);
      }
      b += 128;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    _mm512_storeu_ps(sums + r * sums_pitch, sum[r][0]);
    _mm512_storeu_ps(sums + r * sums_pitch + 16, sum[r][1]);
  }
}

template <typename Element, int kRows>
void run_tile(const PanelJob& job, const RowTile& tile) {
  const float* before = job.accumulate ? job.sums + tile.block_row * job.sums_pitch : nullptr;
  if (job.finish == nullptr) {
    multiply_tile<Element, kRows>(job, job.a + tile.a_offset, job.sums + tile.block_row * job.sums_pitch,
                                  job.sums_pitch, before);
    return;
  }
  alignas(64) float sums[kRows * kPanelColumns];
  multiply_tile<Element, kRows>(job, job.a + tile.a_offset, sums, kPanelColumns, before);
  finish_tile<Element>(*job.finish, sums, kPanelColumns, tile.row, kRows, job.panel);
}

template <typename Element>
void multiply_panel(const PanelJob& job) {
  using Run = void (*)(const PanelJob&, const RowTile&);
  static constexpr Run kRun[kTileRows + 1] = {nullptr,
                                              run_tile<Element, 1>,
                                              run_tile<Element, 2>,
                                              run_tile<Element, 3>,
                                              run_tile<Element, 4>,
                                              run_tile<Element, 5>,
                                              run_tile<Element, 6>,
                                              run_tile<Element, 7>,
                                              run_tile<Element, 8>,
                                              run_tile<Element, 9>,
                                              run_tile<Element, 10>,
                                              run_tile<Element, 11>,
                                              run_tile<Element, 12>,
                                              run_tile<Element, 13>,
                                              run_tile<Element, 14>};
  for (int64_t i = 0; i < job.tile_count; ++i) kRun[job.tiles[i].rows](job, job.tiles[i]);
}

}  // namespace
}  // namespace maquette::kernels::avx512
