// Dense: the few operations on matrices that merging an adapter needs, in f32 and on all threads.
#pragma once

#include "tensor/tensor.h"

namespace maquette::models::dense {

// Any tensor as [size of the first dimension, the rest] f32; a scalar or a vector as [n, 1].
Tensor matrix(const Tensor& t);
// [m, n] -> [n, m]
Tensor transposed(const Tensor& m);
// [m, k] [k, n] -> [m, n]
Tensor product(const Tensor& a, const Tensor& b);
// Tensor::to(f32), on all threads.
Tensor widened(const Tensor& t);

// The two sides of a sum of outer products: up [rows, rank] and down [rank, columns], f32.
struct Factors {
  Tensor up, down;
};
// out = base + up down, rounded once to out's type (f32 or bf16). base has as many elements in rows of
// `columns`, of any floating-point type; out may not share its memory. Each base element is read once and
// each out element written once: merging is as fast as memory where the rank is small.
void add_product(const Tensor& base, const Factors& factors, Tensor& out);

// Rows [begin, end) of the same, to `out` in `type`, on the calling thread. base: f32, f16 or bf16.
void add_product_rows(const Tensor& base, const Factors& factors, int64_t begin, int64_t end, DType type,
                      void* out);
// The base itself where add_product_rows can read it, else widened.
Tensor readable(const Tensor& base);

// The core of a Tucker decomposition against its inner factor: core [a, b, ...window], inner [b, i] ->
// [a, i window] with the window innermost, as flattened convolution weights have it.
Tensor fold_core(const Tensor& core, const Tensor& inner);

// y += factor x, and y *= factor x; f32, equal numbers of elements.
void add_scaled(Tensor& y, float factor, const Tensor& x);
void multiply_scaled(Tensor& y, float factor, const Tensor& x);
// Rounds f32 to out's type (f32 or bf16).
void narrow_into(const Tensor& from, Tensor& out);

}  // namespace maquette::models::dense
