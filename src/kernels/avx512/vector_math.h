// Elementary functions on sixteen floats at once. For files compiled with AVX-512 only: everything is forced
// inline, so that no other file can end up with code that its processor lacks.
#pragma once

#include <cstdint>
#include <immintrin.h>

#include "kernels/activation.h"

#define MAQUETTE_INLINE static inline __attribute__((always_inline, unused))

namespace maquette::kernels::avx512 {

// 2^x, relative error 2e-7: a polynomial of degree 6 in x - floor(x), fitted on Chebyshev nodes for relative
// error, scaled by 2^floor(x). 0 for x = -inf.
MAQUETTE_INLINE __m512 exp2(__m512 x) {
  const __m512 f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_set1_ps(0.00021690609f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.00124430815f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.00967847255f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.0554835247f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.240229796f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693146987f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(p, x);
}

// The same with degree 3 and relative error 1e-4, for results that are rounded to bf16.
MAQUETTE_INLINE __m512 exp2_rough(__m512 x) {
  const __m512 f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_set1_ps(0.0779071638f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.226233194f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.695777096f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.999927827f));
  return _mm512_scalef_ps(p, x);
}

// e^x, relative error 3e-7: the rounding of x log2(e) is recovered from the two parts of ln 2.
MAQUETTE_INLINE __m512 exp(__m512 x) {
  const __m512 bounded = _mm512_max_ps(_mm512_min_ps(x, _mm512_set1_ps(128.0f)), _mm512_set1_ps(-128.0f));
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(bounded, _mm512_set1_ps(1.44269504f)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), bounded);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
  const __m512 f = _mm512_mul_ps(r, _mm512_set1_ps(1.44269504f));
  __m512 p = _mm512_set1_ps(0.000153375768f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.00133998604f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.00961851953f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.05550329f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.240226466f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693147206f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(p, n);
}

MAQUETTE_INLINE __m512 sigmoid(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0f);
  return _mm512_div_ps(one, _mm512_add_ps(one, exp(_mm512_sub_ps(_mm512_setzero_ps(), x))));
}

// erf, absolute error 4e-7: erfc(z) = t exp(-z^2 + P(t)) with t = 1 / (1 + z / 2), z >= 0; P of degree 9
// fitted on Chebyshev nodes.
MAQUETTE_INLINE __m512 erf(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512 z = _mm512_abs_ps(x);
  const __m512 t = _mm512_div_ps(one, _mm512_fmadd_ps(z, _mm512_set1_ps(0.5f), one));
  __m512 p = _mm512_set1_ps(0.105804947f);
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.462426517f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.628178161f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.0300916957f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.703473066f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.346652557f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.0887533297f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.413957129f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.995235988f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-1.26526754f));
  const __m512 tail = _mm512_mul_ps(t, exp(_mm512_fnmadd_ps(z, z, p)));
  const __m512 magnitude = _mm512_sub_ps(one, tail);
  const __m512i sign = _mm512_and_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(INT32_MIN));
  return _mm512_castsi512_ps(_mm512_or_epi32(_mm512_castps_si512(magnitude), sign));
}

MAQUETTE_INLINE __m512 gelu(__m512 x) {
  const __m512 half = _mm512_mul_ps(x, _mm512_set1_ps(0.5f));
  return _mm512_fmadd_ps(half, erf(_mm512_mul_ps(x, _mm512_set1_ps(0.70710678f))), half);
}

// The two below are for results that are rounded to bf16.
// x sigmoid(x), relative error 2e-4: the reciprocal is the processor's estimate of 14 bits.
MAQUETTE_INLINE __m512 silu_rough(__m512 x) {
  const __m512 e = exp2_rough(_mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f)));
  return _mm512_mul_ps(x, _mm512_rcp14_ps(_mm512_add_ps(e, _mm512_set1_ps(1.0f))));
}

// x Phi(x), absolute error 2e-04: Phi(x) - 1/2 as an odd polynomial on [-4, 4], fitted for the error of the
// product and to be exactly -1/2 and 1/2 at the ends.
MAQUETTE_INLINE __m512 gelu_rough(__m512 x) {
  const __m512 z = _mm512_max_ps(_mm512_min_ps(x, _mm512_set1_ps(4.0f)), _mm512_set1_ps(-4.0f));
  const __m512 s = _mm512_mul_ps(z, z);
  __m512 p = _mm512_set1_ps(-9.73707055e-11f);
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(5.67826957e-09f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-1.01775001e-07f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-4.34367514e-07f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(4.61894348e-05f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-0.000862381782f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(0.00912363337f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-0.0654375033f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(0.398518538f));
  return _mm512_mul_ps(x, _mm512_fmadd_ps(p, z, _mm512_set1_ps(0.5f)));
}

MAQUETTE_INLINE __m512 tanh(__m512 x) {
  const __m512 two = _mm512_set1_ps(2.0f);
  return _mm512_sub_ps(_mm512_mul_ps(two, sigmoid(_mm512_mul_ps(two, x))), _mm512_set1_ps(1.0f));
}

MAQUETTE_INLINE __m512 activate(Activation kind, __m512 x) {
  const __m512 zero = _mm512_setzero_ps();
  switch (kind) {
    case Activation::none: return x;
    case Activation::relu: return _mm512_max_ps(x, zero);
    case Activation::silu: return _mm512_mul_ps(x, sigmoid(x));
    case Activation::gelu: return gelu(x);
    case Activation::quick_gelu: return _mm512_mul_ps(x, sigmoid(_mm512_mul_ps(x, _mm512_set1_ps(1.702f))));
    case Activation::leaky_relu: return _mm512_max_ps(x, _mm512_mul_ps(x, _mm512_set1_ps(0.2f)));
    case Activation::tanh: return tanh(x);
  }
  return x;
}

}  // namespace maquette::kernels::avx512
