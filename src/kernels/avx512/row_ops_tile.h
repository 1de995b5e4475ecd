// Row operations, sixteen elements at a time. Included by one file per element type.
#pragma once

#include "kernels/avx512/vector_math.h"
#include "kernels/row_ops.h"

namespace maquette::kernels::avx512 {
namespace {

MAQUETTE_INLINE __mmask16 lanes(int64_t left) {
  return left >= 16 ? 0xffff : static_cast<__mmask16>((1u << left) - 1);
}

// kVectors times sixteen channels stay in registers while all pixels pass.
template <typename Element, int kVectors>
MAQUETTE_INLINE void moments_of(const PixelRows& x, int64_t channel, __mmask16 last, const float* center,
                                float* sums, float* squares) {
  __m512 sum[kVectors], square[kVectors], middle[kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    const __mmask16 mask = v + 1 < kVectors ? 0xffff : last;
    sum[v] = square[v] = _mm512_setzero_ps();
    middle[v] = _mm512_maskz_loadu_ps(mask, center + channel + 16 * v);
  }
  for (int64_t pixel = 0; pixel < x.pixels; ++pixel) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const __mmask16 mask = v + 1 < kVectors ? 0xffff : last;
      const __m512 d =
          _mm512_sub_ps(Element::load(x.x, pixel * x.channels + channel + 16 * v, mask), middle[v]);
      sum[v] = _mm512_add_ps(sum[v], d);
      square[v] = _mm512_fmadd_ps(d, d, square[v]);
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    const __mmask16 mask = v + 1 < kVectors ? 0xffff : last;
    _mm512_mask_storeu_ps(sums + channel + 16 * v, mask, sum[v]);
    _mm512_mask_storeu_ps(squares + channel + 16 * v, mask, square[v]);
  }
}

template <typename Element>
void channel_moments(const PixelRows& x, const float* center, float* sums, float* squares) {
  int64_t channel = 0;
  for (; channel + 128 <= x.channels; channel += 128) {
    moments_of<Element, 8>(x, channel, 0xffff, center, sums, squares);
  }
  for (; channel + 64 <= x.channels; channel += 64) {
    moments_of<Element, 4>(x, channel, 0xffff, center, sums, squares);
  }
  for (; channel < x.channels; channel += 16) {
    moments_of<Element, 1>(x, channel, lanes(x.channels - channel), center, sums, squares);
  }
}

template <typename Element, bool kSilu>
void scale_all_channels(const PixelRows& x, const float* factor, const float* offset, void* out) {
  const auto at = [&](int64_t pixel, int64_t c, __mmask16 mask) {
    const __m512 v =
        _mm512_fmadd_ps(Element::load(x.x, pixel * x.channels + c, mask),
                        _mm512_maskz_loadu_ps(mask, factor + c), _mm512_maskz_loadu_ps(mask, offset + c));
    return kSilu ? Element::silu(v) : v;
  };
  for (int64_t pixel = 0; pixel < x.pixels; ++pixel) {
    int64_t c = 0;
    for (; c + 32 <= x.channels; c += 32) {
      Element::store_pair(out, pixel * x.channels + c, at(pixel, c, 0xffff), at(pixel, c + 16, 0xffff));
    }
    for (; c < x.channels; c += 16) {
      const __mmask16 mask = lanes(x.channels - c);
      Element::store(out, pixel * x.channels + c, mask, at(pixel, c, mask));
    }
  }
}

template <typename Element>
void scale_channels(const PixelRows& x, const float* factor, const float* offset, bool silu, void* out) {
  if (silu) {
    scale_all_channels<Element, true>(x, factor, offset, out);
  } else {
    scale_all_channels<Element, false>(x, factor, offset, out);
  }
}

template <typename Element>
void layer_norm_row(const LayerNormRows& r, int64_t row) {
  const int64_t begin = row * r.width;
  // Two accumulators, so that one addition need not wait for the last.
  __m512 sum[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  for (int64_t i = 0; i < r.width; i += 16) {
    __m512& s = sum[i / 16 % 2];
    s = _mm512_add_ps(s, Element::load(r.x, begin + i, lanes(r.width - i)));
  }
  const float mean = _mm512_reduce_add_ps(_mm512_add_ps(sum[0], sum[1])) / static_cast<float>(r.width);
  const __m512 middle = _mm512_set1_ps(mean);
  __m512 square[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  for (int64_t i = 0; i < r.width; i += 16) {
    const __mmask16 mask = lanes(r.width - i);
    const __m512 d = _mm512_maskz_sub_ps(mask, Element::load(r.x, begin + i, mask), middle);
    __m512& s = square[i / 16 % 2];
    s = _mm512_fmadd_ps(d, d, s);
  }
  const float variance =
      _mm512_reduce_add_ps(_mm512_add_ps(square[0], square[1])) / static_cast<float>(r.width);
  const __m512 inverse = _mm512_set1_ps(1 / __builtin_sqrtf(variance + r.epsilon));
  for (int64_t i = 0; i < r.width; i += 16) {
    const __mmask16 mask = lanes(r.width - i);
    const __m512 d = _mm512_mul_ps(_mm512_sub_ps(Element::load(r.x, begin + i, mask), middle), inverse);
    const __m512 v = _mm512_fmadd_ps(d, _mm512_maskz_loadu_ps(mask, r.weight + i),
                                     _mm512_maskz_loadu_ps(mask, r.bias + i));
    Element::store(r.out, begin + i, mask, v);
  }
}

template <typename Element>
void layer_norm(const LayerNormRows& rows) {
  for (int64_t row = 0; row < rows.rows; ++row) layer_norm_row<Element>(rows, row);
}

// out[i] = f(i, mask of the valid lanes)
template <typename Element, typename F>
MAQUETTE_INLINE void each(int64_t count, void* out, const F& f) {
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) Element::store_pair(out, i, f(i, 0xffff), f(i + 16, 0xffff));
  for (; i < count; i += 16) Element::store(out, i, lanes(count - i), f(i, lanes(count - i)));
}

template <typename Element, Activation kKind>
void activate_as(const void* x, int64_t count, void* out) {
  each<Element>(
      count, out, [&](int64_t i, __mmask16 mask) __attribute__((always_inline)) {
        return activate(kKind, Element::load(x, i, mask));
      });
}

template <typename Element>
void activate_all(Activation kind, const void* x, int64_t count, void* out) {
  switch (kind) {
    case Activation::none: return activate_as<Element, Activation::none>(x, count, out);
    case Activation::relu: return activate_as<Element, Activation::relu>(x, count, out);
    case Activation::silu: return activate_as<Element, Activation::silu>(x, count, out);
    case Activation::gelu: return activate_as<Element, Activation::gelu>(x, count, out);
    case Activation::quick_gelu: return activate_as<Element, Activation::quick_gelu>(x, count, out);
    case Activation::leaky_relu: return activate_as<Element, Activation::leaky_relu>(x, count, out);
    case Activation::tanh: return activate_as<Element, Activation::tanh>(x, count, out);
  }
}

template <typename Element>
void add_scaled(const void* x, const void* y, float factor, int64_t count, void* out) {
  const __m512 f = _mm512_set1_ps(factor);
  each<Element>(
      count, out, [&](int64_t i, __mmask16 mask) __attribute__((always_inline)) {
        return _mm512_fmadd_ps(f, Element::load(y, i, mask), Element::load(x, i, mask));
      });
}

template <typename Element>
void scale(const void* x, float factor, int64_t count, void* out) {
  const __m512 f = _mm512_set1_ps(factor);
  each<Element>(
      count, out, [&](int64_t i, __mmask16 mask) __attribute__((always_inline)) {
        return _mm512_mul_ps(f, Element::load(x, i, mask));
      });
}

template <typename Element>
void to_f32(const void* x, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += 16) {
    _mm512_mask_storeu_ps(out + i, lanes(count - i), Element::load(x, i, lanes(count - i)));
  }
}

template <typename Element>
void from_f32(const float* x, int64_t count, void* out) {
  each<Element>(
      count, out, [&](int64_t i, __mmask16 mask) __attribute__((always_inline)) {
        return _mm512_maskz_loadu_ps(mask, x + i);
      });
}

template <typename Element>
constexpr RowOps make_row_ops(DType type) {
  return {.name = "avx512",
          .type = type,
          .channel_moments = channel_moments<Element>,
          .scale_channels = scale_channels<Element>,
          .layer_norm = layer_norm<Element>,
          .activate = activate_all<Element>,
          .add_scaled = add_scaled<Element>,
          .scale = scale<Element>,
          .to_f32 = to_f32<Element>,
          .from_f32 = from_f32<Element>};
}

}  // namespace
}  // namespace maquette::kernels::avx512
