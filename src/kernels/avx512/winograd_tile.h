// The three transforms of F(4x4, 3x3), sixteen channels at a time. Included by one file per element type.
#pragma once

#include "kernels/avx512/vector_math.h"
#include "kernels/avx512/winograd_core.h"

namespace maquette::kernels::avx512 {
namespace {

constexpr float kA = 0.70710678f;  // the points: a^2 = 1/2, b^2 = 2, a b = 1
constexpr float kB = 1.41421356f;

MAQUETTE_INLINE __m512 all(float value) { return _mm512_set1_ps(value); }

// B^T d: rows of the polynomials M(x) / (x - p) with M(x) = x (x^2 - 1/2) (x^2 - 2).
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
MAQUETTE_INLINE void transform_output(const __m512* m, __m512* y) {
  const __m512 sum_a = _mm512_add_ps(m[1], m[2]);
  const __m512 difference_a = _mm512_mul_ps(all(kA), _mm512_sub_ps(m[1], m[2]));
  const __m512 sum_b = _mm512_add_ps(m[3], m[4]);
  const __m512 difference_b = _mm512_mul_ps(all(kB), _mm512_sub_ps(m[3], m[4]));
  y[0] = _mm512_add_ps(m[0], _mm512_add_ps(sum_a, sum_b));
  y[1] = _mm512_add_ps(difference_a, difference_b);
  y[2] = _mm512_fmadd_ps(all(0.5f), sum_a, _mm512_mul_ps(all(2), sum_b));
  y[3] = _mm512_fmadd_ps(all(0.5f), difference_a, _mm512_fmadd_ps(all(2), difference_b, m[5]));
}

// The lines of the next tile's results in all planes, which lie further than the second-level cache, are
// fetched while this tile is transformed.
template <typename Element>
MAQUETTE_INLINE void fetch_planes(const InputJob& job, const char* target) {
#pragma GCC unroll 36
  for (int f = 0; f < kFrequencies; ++f) __builtin_prefetch(target + job.row_bytes + f * job.plane_bytes, 1);
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
    if (c * Element::kBytes % 64 == 0) fetch_planes<Element>(job, target);
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

// Sums of one tile and sixteen columns, transformed along y; along x it is done row by row when they are
// stored.
MAQUETTE_INLINE void output_rows(const float* sums, int64_t plane, __m512 (*rows)[kTileInputs]) {
#pragma GCC unroll 6
  for (int j = 0; j < kTileInputs; ++j) {
    __m512 m[kTileInputs];
#pragma GCC unroll 6
    for (int i = 0; i < kTileInputs; ++i) m[i] = _mm512_loadu_ps(sums + (i * kTileInputs + j) * plane);
    __m512 y[kTileOutputs];
    transform_output(m, y);
#pragma GCC unroll 4
    for (int i = 0; i < kTileOutputs; ++i) rows[i][j] = y[i];
  }
}

// What a panel adds to every output.
struct Shift {
  __m512 left, right;
  __mmask16 left_mask, right_mask;  // columns that exist
};

MAQUETTE_INLINE Shift shift_of(const OutputJob& job, int64_t image) {
  const Finish& f = *job.finish;
  const int64_t column = job.panel * kPanelColumns;
  const auto mask = [&](int64_t left) {
    return left >= 16  ? __mmask16{0xffff}
           : left <= 0 ? __mmask16{0}
                       : static_cast<__mmask16>((1u << left) - 1);
  };
  Shift shift{.left = _mm512_loadu_ps(f.bias + column),
              .right = _mm512_loadu_ps(f.bias + column + 16),
              .left_mask = mask(f.columns - column),
              .right_mask = mask(f.columns - column - 16)};
  if (f.per_image) {
    const float* per_image = f.per_image + image * f.columns + column;
    shift.left = _mm512_add_ps(shift.left, _mm512_maskz_loadu_ps(shift.left_mask, per_image));
    shift.right = _mm512_add_ps(shift.right, _mm512_maskz_loadu_ps(shift.right_mask, per_image + 16));
  }
  return shift;
}

template <typename Element, Activation kActivation>
MAQUETTE_INLINE void store_outputs(const Finish& f, const Shift& shift, int64_t at, __m512 left,
                                   __m512 right) {
  left = activate(kActivation, _mm512_add_ps(left, shift.left));
  right = activate(kActivation, _mm512_add_ps(right, shift.right));
  if (f.residual) {
    left = _mm512_add_ps(left, Element::load(f.residual, at, shift.left_mask));
    right = _mm512_add_ps(right, Element::load(f.residual, at + 16, shift.right_mask));
  }
  if (shift.right_mask == 0xffff) {
    Element::store_pair(f.out, at, left, right);
  } else {
    Element::store(f.out, at, shift.left_mask, left);
    Element::store(f.out, at + 16, shift.right_mask, right);
  }
}

// Element index of the panel's columns in the first output of a tile.
MAQUETTE_INLINE int64_t first_output(const OutputJob& job, const WinogradTile& tile) {
  const WinogradPicture& p = *job.picture;
  return ((tile.image * p.out_height + tile.out_y) * p.out_width + tile.out_x) * p.columns +
         job.panel * kPanelColumns;
}

// The outputs of a tile, and what is added to them, are fetched while the tile before is transformed.
template <typename Element>
MAQUETTE_INLINE void fetch_outputs(const OutputJob& job, const WinogradTile& tile) {
  const WinogradPicture& p = *job.picture;
  for (int i = 0; i < kTileOutputs; ++i) {
    for (int j = 0; j < kTileOutputs; ++j) {
      const int64_t at = (first_output(job, tile) + (i * p.out_width + j) * p.columns) * Element::kBytes;
      for (int64_t line = 0; line < kPanelColumns * Element::kBytes; line += 64) {
        __builtin_prefetch(static_cast<const char*>(job.finish->out) + at + line, 1);
        if (job.finish->residual) {
          __builtin_prefetch(static_cast<const char*>(job.finish->residual) + at + line, 0);
        }
      }
    }
  }
}

template <typename Element, Activation kActivation>
void output_tile(const OutputJob& job, int64_t index, const Shift& shift) {
  const WinogradPicture& p = *job.picture;
  const WinogradTile& tile = job.tiles[index];
  const float* sums = job.sums + index * kPanelColumns;
  __m512 left[kTileOutputs][kTileInputs], right[kTileOutputs][kTileInputs];
  output_rows(sums, job.plane_floats, left);
  output_rows(sums + 16, job.plane_floats, right);
  const int64_t first = first_output(job, tile);
  const int64_t rows = p.out_height - tile.out_y < kTileOutputs ? p.out_height - tile.out_y : kTileOutputs;
  const int64_t columns = p.out_width - tile.out_x < kTileOutputs ? p.out_width - tile.out_x : kTileOutputs;
  for (int64_t i = 0; i < rows; ++i) {
    __m512 y[kTileOutputs], z[kTileOutputs];
    transform_output(left[i], y);
    transform_output(right[i], z);
    for (int64_t j = 0; j < columns; ++j) {
      const int64_t at = first + (i * p.out_width + j) * p.columns;
      store_outputs<Element, kActivation>(*job.finish, shift, at, y[j], z[j]);
    }
  }
}

template <typename Element, Activation kActivation>
void output_as(const OutputJob& job) {
  Shift shift = shift_of(job, job.tiles[0].image);
  for (int64_t i = 0; i < job.tile_count; ++i) {
    if (i > 0 && job.tiles[i].image != job.tiles[i - 1].image) shift = shift_of(job, job.tiles[i].image);
    if (i + 1 < job.tile_count) fetch_outputs<Element>(job, job.tiles[i + 1]);
    output_tile<Element, kActivation>(job, i, shift);
  }
}

template <typename Element>
void output(const OutputJob& job) {
  switch (job.finish->activation) {
    case Activation::none: return output_as<Element, Activation::none>(job);
    case Activation::relu: return output_as<Element, Activation::relu>(job);
    case Activation::silu: return output_as<Element, Activation::silu>(job);
    case Activation::gelu: return output_as<Element, Activation::gelu>(job);
    case Activation::quick_gelu: return output_as<Element, Activation::quick_gelu>(job);
    case Activation::leaky_relu: return output_as<Element, Activation::leaky_relu>(job);
    case Activation::tanh: return output_as<Element, Activation::tanh>(job);
  }
}

}  // namespace
}  // namespace maquette::kernels::avx512
