// From finished sums to output: bias, activation, gate, residual, conversion. Included by one file per
// element type.
#pragma once

#include "kernels/avx512/core.h"
#include "kernels/avx512/vector_math.h"

namespace maquette::kernels::avx512 {
namespace {

// Element: struct with
//   static __m512 load(const void* base, int64_t index, __mmask16 mask)
//   static void store(void* base, int64_t index, __mmask16 mask, __m512 value)
//   static void store_pair(void* base, int64_t index, __m512 left, __m512
//   right)    32 elements

struct FinishRows {
  const float* sums;  // [rows][pitch]
  int64_t pitch;
  int64_t row;  // first row of the output
  int rows;
  int64_t panel;
};

MAQUETTE_INLINE __mmask16 columns_left(int64_t columns) {
  return columns >= 16 ? 0xffff : columns <= 0 ? 0 : static_cast<__mmask16>((1u << columns) - 1);
}

template <typename Element, Activation kActivation>
void finish_plain(const Finish& f, const FinishRows& tile) {
  const int64_t column = tile.panel * kPanelColumns;
  const __mmask16 left_mask = columns_left(f.columns - column);
  const __mmask16 right_mask = columns_left(f.columns - column - 16);
  __m512 left_shift = _mm512_loadu_ps(f.bias + column);
  __m512 right_shift = _mm512_loadu_ps(f.bias + column + 16);
  if (f.per_image) {  // a tile lies in one image
    const float* shift = f.per_image + tile.row / f.rows_per_image * f.columns + column;
    left_shift = _mm512_add_ps(left_shift, _mm512_maskz_loadu_ps(left_mask, shift));
    right_shift = _mm512_add_ps(right_shift, _mm512_maskz_loadu_ps(right_mask, shift + 16));
  }
  const float* sums = tile.sums;
  int64_t index = f.row_begin(tile.row) + column;
  for (int r = 0; r < tile.rows; ++r, sums += tile.pitch, index += f.step()) {
    __m512 left = activate(kActivation, _mm512_add_ps(_mm512_loadu_ps(sums), left_shift));
    __m512 right = activate(kActivation, _mm512_add_ps(_mm512_loadu_ps(sums + 16), right_shift));
    if (f.residual) {
      left = _mm512_add_ps(left, Element::load(f.residual, index, left_mask));
      right = _mm512_add_ps(right, Element::load(f.residual, index + 16, right_mask));
    }
    if (right_mask == 0xffff) {
      Element::store_pair(f.out, index, left, right);
    } else {
      Element::store(f.out, index, left_mask, left);
      Element::store(f.out, index + 16, right_mask, right);
    }
  }
}

template <typename Element, Activation kActivation>
void finish_gated(const Finish& f, const FinishRows& tile) {
  const int64_t column = tile.panel * (kPanelColumns / 2);
  const __mmask16 mask = columns_left(f.columns - column);
  const __m512 value_bias = _mm512_loadu_ps(f.bias + tile.panel * kPanelColumns);
  const __m512 gate_bias = _mm512_loadu_ps(f.bias + tile.panel * kPanelColumns + 16);
  const float* sums = tile.sums;
  int64_t index = tile.row * f.columns + column;
  for (int r = 0; r < tile.rows; ++r, sums += tile.pitch, index += f.columns) {
    const __m512 gate = Element::gelu(_mm512_add_ps(_mm512_loadu_ps(sums + 16), gate_bias));
    __m512 value = activate(kActivation, _mm512_add_ps(_mm512_loadu_ps(sums), value_bias));
    value = _mm512_mul_ps(value, gate);
    if (f.residual) value = _mm512_add_ps(value, Element::load(f.residual, index, mask));
    Element::store(f.out, index, mask, value);
  }
}

template <typename Element, Activation kActivation>
void finish_as(const Finish& f, const FinishRows& tile) {
  if (f.gated) {
    finish_gated<Element, kActivation>(f, tile);
  } else {
    finish_plain<Element, kActivation>(f, tile);
  }
}

template <typename Element>
void finish_tile(const Finish& f, const FinishRows& tile) {
  switch (f.activation) {
    case Activation::none: return finish_as<Element, Activation::none>(f, tile);
    case Activation::relu: return finish_as<Element, Activation::relu>(f, tile);
    case Activation::silu: return finish_as<Element, Activation::silu>(f, tile);
    case Activation::gelu: return finish_as<Element, Activation::gelu>(f, tile);
    case Activation::quick_gelu: return finish_as<Element, Activation::quick_gelu>(f, tile);
    case Activation::leaky_relu: return finish_as<Element, Activation::leaky_relu>(f, tile);
    case Activation::tanh: return finish_as<Element, Activation::tanh>(f, tile);
  }
}

}  // namespace
}  // namespace maquette::kernels::avx512
