// The three transforms of F(4x4, 3x3), sixteen channels at a time. Included by
// one file per element type.
#pragma once

#include "kernels/avx512/vector_math.h"
#include "kernels/avx512/winograd_core.h"

namespace maquette::kernels::avx512 {
namespace {

constexpr float kA = 0.70710678f;  // the points: a^2 = 1/2, b^2 = 2, a b = 1
constexpr float kB = 1.41421356f;

MAQUETTE_INLINE __m512 all(float value) { return _mm512_set1_ps(value); }

// B^T d: rows of the polynomials M(x) / (x - p) with M(x) = x (x^2 - 1/2) (x^2
// - 2).
MAQUETTE_INLINE void transform_input(__m512 d0, __m512 d1, __m512 d2, __m512 d3, __m512 d4, __m512 d5,
                                     __m512* v) {
  const __m512 even_a = _mm512_fnmadd_ps(all(2), d2, d4);
  const __m512 odd_a = _mm512_fnmadd_ps(all(2), d1, d3);
  const __m512 even_b = _mm512_fnmadd_ps(all(0.5f), d2, d4);
  const __m512 odd_b = _mm512_fnmadd_ps(all(0.5f), d1, d3);
  v[0] = _mm512_fnmadd_ps(all(2.5f), d2, _mm512_add_ps(d0, d4));
  v[1] = _mm512_fmadd_ps(all(kA), odd_a, even_a);
  v[2] = _mm512_fnmadd_ps(all(kA), odd_a, even_a);
  v[3] = _mm512_fmadd_ps(all(kB), odd_b, even_b);
  v[4] = _mm512_fnmadd_ps(all(kB), odd_b, even_b);
  v[5] = _mm512_fnmadd_ps(all(2.5f), d3, _mm512_add_ps(d1, d5));
}

// G g: the kernel at the points, over M'(p).
MAQUETTE_INLINE void transform_weights(__m512 g0, __m512 g1, __m512 g2, __m512* u) {
  const __m512 even_a = _mm512_mul_ps(all(-2.0f / 3), _mm512_fmadd_ps(all(0.5f), g2, g0));
  const __m512 even_b = _mm512_mul_ps(all(1.0f / 6), _mm512_fmadd_ps(all(2), g2, g0));
  u[0] = g0;
  u[1] = _mm512_fmadd_ps(all(-2.0f / 3 * kA), g1, even_a);
  u[2] = _mm512_fnmadd_ps(all(-2.0f / 3 * kA), g1, even_a);
  u[3] = _mm512_fmadd_ps(all(kB / 6), g1, even_b);
  u[4] = _mm512_fnmadd_ps(all(kB / 6), g1, even_b);
  u[5] = g2;
}

// A^T m
MAQUETTE_INLINE void transform_output(const __m512* m, int step, __m512* y) {
  const __m512 sum_a = _mm512_add_ps(m[1 * step], m[2 * step]);
  const __m512 difference_a = _mm512_mul_ps(all(kA), _mm512_sub_ps(m[1 * step], m[2 * step]));
  const __m512 sum_b = _mm512_add_ps(m[3 * step], m[4 * step]);
  const __m512 difference_b = _mm512_mul_ps(all(kB), _mm512_sub_ps(m[3 * step], m[4 * step]));
  y[0] = _mm512_add_ps(m[0], _mm512_add_ps(sum_a, sum_b));
  y[1] = _mm512_add_ps(difference_a, difference_b);
  y[2] = _mm512_fmadd_ps(all(0.5f), sum_a, _mm512_mul_ps(all(2), sum_b));
  y[3] = _mm512_fmadd_ps(all(0.5f), difference_a, _mm512_fmadd_ps(all(2), difference_b, m[5 * step]));
}

template <typename Element>
void input_tile(const InputJob& job, int64_t index) {
  const WinogradPicture& p = *job.picture;
  const WinogradTile& tile = job.tiles[index];
  const bool inside =
      tile.y >= 0 && tile.x >= 0 && tile.y + kTileInputs <= p.height && tile.x + kTileInputs <= p.width;
  const int64_t origin = ((tile.image * p.height + tile.y) * p.width + tile.x) * p.channels;
  char* target = job.v + index * job.row_bytes;
  const int64_t padded = job.row_bytes / Element::kBytes;
  for (int64_t c = 0; c < padded; c += 16, target += 16 * Element::kBytes) {
    const int64_t left = p.channels - c;
    const __mmask16 mask = left >= 16 ? 0xffff : left <= 0 ? 0 : static_cast<__mmask16>((1u << left) - 1);
    __m512 rows[kTileInputs][kTileInputs];
    for (int i = 0; i < kTileInputs; ++i) {
      __m512 d[kTileInputs];
#pragma GCC unroll 6
      for (int j = 0; j < kTileInputs; ++j) {
        const bool real =
            inside || (tile.y + i >= 0 && tile.y + i < p.height && tile.x + j >= 0 && tile.x + j < p.width);
        d[j] = real ? Element::load(job.x, origin + (i * p.width + j) * p.channels + c, mask)
                    : _mm512_setzero_ps();
      }
      transform_input(d[0], d[1], d[2], d[3], d[4], d[5], rows[i]);
    }
#pragma GCC unroll 6
    for (int j = 0; j < kTileInputs; ++j) {
      __m512 v[kTileInputs];
      transform_input(rows[0][j], rows[1][j], rows[2][j], rows[3][j], rows[4][j], rows[5][j], v);
#pragma GCC unroll 6
      for (int i = 0; i < kTileInputs; ++i) {
        Element::store(target + (i * kTileInputs + j) * job.plane_bytes, 0, 0xffff, v[i]);
      }
    }
  }
}

template <typename Element>
void input(const InputJob& job) {
  for (int64_t i = 0; i < job.tile_count; ++i) input_tile<Element>(job, i);
}

// G g G^T of the nine taps of sixteen columns, in the order of the planes.
template <typename Element>
MAQUETTE_INLINE void transform_kernel(const char* w, __m512* u) {
  __m512 rows[3][kTileInputs];
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) {
    __m512 g[3];
#pragma GCC unroll 3
    for (int j = 0; j < 3; ++j) g[j] = Element::load(w, (i * 3 + j) * kPanelColumns, 0xffff);
    transform_weights(g[0], g[1], g[2], rows[i]);
  }
#pragma GCC unroll 6
  for (int j = 0; j < kTileInputs; ++j) {
    __m512 column[kTileInputs];
    transform_weights(rows[0][j], rows[1][j], rows[2][j], column);
#pragma GCC unroll 6
    for (int i = 0; i < kTileInputs; ++i) u[i * kTileInputs + j] = column[i];
  }
}

template <typename Element>
void weights(const WeightsJob& job) {
  constexpr int64_t kPair = 4 / Element::kBytes;
  constexpr int64_t kChannelBytes = 9 * kPanelColumns * Element::kBytes;
  for (int64_t c = 0; c < job.channels; c += kPair) {
    for (int half = 0; half < 2; ++half) {
      const char* w = job.w + c * kChannelBytes + half * 16 * Element::kBytes;
      char* target = job.u + c / kPair * 128 + half * 64;
      __m512 first[kFrequencies];
      transform_kernel<Element>(w, first);
      if constexpr (kPair == 1) {
#pragma GCC unroll 36
        for (int f = 0; f < kFrequencies; ++f) _mm512_storeu_ps(target + f * job.plane_bytes, first[f]);
      } else {
        __m512 second[kFrequencies];
        transform_kernel<Element>(w + kChannelBytes, second);
        for (int f = 0; f < kFrequencies; ++f) {
          _mm512_storeu_si512(target + f * job.plane_bytes, Element::pairs(first[f], second[f]));
        }
      }
    }
  }
}

template <typename Element>
MAQUETTE_INLINE void output_half(const OutputJob& job, int64_t index, int half) {
  const WinogradPicture& p = *job.picture;
  const Finish& f = *job.finish;
  const WinogradTile& tile = job.tiles[index];
  const int64_t column = job.panel * kPanelColumns + half * 16;
  const int64_t valid = p.columns - column;
  if (valid <= 0) return;
  const __mmask16 mask = valid >= 16 ? 0xffff : static_cast<__mmask16>((1u << valid) - 1);

  const float* sums = job.sums + index * kPanelColumns + half * 16;
  __m512 rows[kTileOutputs][kTileInputs];
#pragma GCC unroll 6
  for (int j = 0; j < kTileInputs; ++j) {
    __m512 m[kTileInputs];
#pragma GCC unroll 6
    for (int i = 0; i < kTileInputs; ++i)
      m[i] = _mm512_loadu_ps(sums + (i * kTileInputs + j) * job.plane_floats);
    __m512 y[kTileOutputs];
    transform_output(m, 1, y);
#pragma GCC unroll 4
    for (int i = 0; i < kTileOutputs; ++i) rows[i][j] = y[i];
  }

  __m512 shift = _mm512_loadu_ps(f.bias + column);
  if (f.per_image) {
    shift = _mm512_add_ps(shift, _mm512_maskz_loadu_ps(mask, f.per_image + tile.image * p.columns + column));
  }
  for (int i = 0; i < kTileOutputs && tile.out_y + i < p.out_height; ++i) {
    __m512 y[kTileOutputs];
    transform_output(rows[i], 1, y);
    const int64_t row = (tile.image * p.out_height + tile.out_y + i) * p.out_width + tile.out_x;
    for (int j = 0; j < kTileOutputs && tile.out_x + j < p.out_width; ++j) {
      const int64_t at = (row + j) * p.columns + column;
      __m512 value = activate(f.activation, _mm512_add_ps(y[j], shift));
      if (f.residual) value = _mm512_add_ps(value, Element::load(f.residual, at, mask));
      Element::store(f.out, at, mask, value);
    }
  }
}

template <typename Element>
void output(const OutputJob& job) {
  for (int64_t i = 0; i < job.tile_count; ++i) {
    output_half<Element>(job, i, 0);
    output_half<Element>(job, i, 1);
  }
}

}  // namespace
}  // namespace maquette::kernels::avx512
