// The register block of the AVX-512 cores: up to 14 rows by 32 columns, 28 of the 32 registers. Included by
// one file per element type, which says how to multiply and how to store.
//
// Four bytes of A (one f32, or two bf16) are broadcast and meet 128 bytes of B (32 columns) in each step: for
// 28 multiply-adds there are 16 loads, so that the multipliers and not the load ports are the limit.
#pragma once

#include "kernels/avx512/core.h"
#include "kernels/avx512/finish.h"
#include "kernels/avx512/vector_math.h"

namespace maquette::kernels::avx512 {
namespace {

// Element: struct with
//   static constexpr int64_t kBytes
//   static void multiply_add(__m512& left, __m512& right, const char* a, const
//   char* b)    b: 128 bytes
// and what finish.h asks for.
constexpr int kTileRows = 14;
constexpr int64_t kStepsPerLine = 16;

// kFetch: how the rows of the next tile, which begin at `next`, are fetched meanwhile.
template <typename Element, int kRows, Fetch kFetch>
__attribute__((noinline)) void multiply_tile(const PanelJob& job, const char* a, float* sums,
                                             int64_t sums_pitch, const float* before, const char* next) {
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
    // Sixteen steps use up one cache line of each row; meanwhile the same lines of the next tile are fetched.
    for (int64_t line = 0; line < steps; line += kStepsPerLine) {
      const char* ahead = kFetch == Fetch::nothing ? nullptr : next + job.tap_offset[tap] + 4 * line;
      const int64_t end = line + kStepsPerLine < steps ? line + kStepsPerLine : steps;
      for (int64_t step = line; step < end; ++step) {
        if (kFetch == Fetch::keep) _mm_prefetch(ahead, _MM_HINT_T0);
        if (kFetch == Fetch::once) _mm_prefetch(ahead, _MM_HINT_NTA);
        if (kFetch != Fetch::nothing) ahead += pitch;
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
          const char* at = third[r / 3] + (r % 3) * pitch + 4 * step;
          Element::multiply_add(sum[r][0], sum[r][1], at, b);
        }
        b += 128;
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    _mm512_storeu_ps(sums + r * sums_pitch, sum[r][0]);
    _mm512_storeu_ps(sums + r * sums_pitch + 16, sum[r][1]);
  }
}

template <typename Element, int kRows>
void run_tile(const PanelJob& job, const RowTile& tile, const char* next) {
  const auto multiply = next == nullptr            ? multiply_tile<Element, kRows, Fetch::nothing>
                        : job.fetch == Fetch::keep ? multiply_tile<Element, kRows, Fetch::keep>
                                                   : multiply_tile<Element, kRows, Fetch::once>;
  const float* before = job.accumulate ? job.sums + tile.block_row * job.sums_pitch : nullptr;
  if (job.finish == nullptr) {
    multiply(job, job.a + tile.a_offset, job.sums + tile.block_row * job.sums_pitch, job.sums_pitch, before,
             next);
    return;
  }
  alignas(64) float sums[kRows * kPanelColumns];
  multiply(job, job.a + tile.a_offset, sums, kPanelColumns, before, next);
  finish_tile<Element>(
      *job.finish,
      {.sums = sums, .pitch = kPanelColumns, .row = tile.row, .rows = kRows, .panel = job.panel});
}

template <typename Element>
void multiply_panel(const PanelJob& job) {
  using Run = void (*)(const PanelJob&, const RowTile&, const char*);
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
  for (int64_t i = 0; i < job.tile_count; ++i) {
    const char* next = nullptr;
    if (job.fetch != Fetch::nothing)
      next = i + 1 < job.tile_count ? job.a + job.tiles[i + 1].a_offset : job.next_a;
    kRun[job.tiles[i].rows](job, job.tiles[i], next);
  }
}

}  // namespace
}  // namespace maquette::kernels::avx512
