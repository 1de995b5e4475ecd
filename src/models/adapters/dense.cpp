// The product runs over blocks of four rows by kColumns columns that stay in the first-level cache: the block
// is widened from the base, takes `rank` outer products four at a time, and is rounded to its type on the way
// out.
#include "models/adapters/dense.h"

#include <algorithm>

#include "kernels/cpu.h"
#include "kernels/row_ops.h"
#include "kernels/threads.h"
#include "models/adapters/vector_clones.h"

namespace maquette::models::dense {

namespace {

constexpr int64_t kRows = 4;
constexpr int64_t kColumns = 512;
constexpr int64_t kGrain = int64_t{1} << 16;  // multiply-adds (or elements) that are worth a thread

// As f16_to_f32, with masks instead of choices so that it becomes vector code.
[[gnu::always_inline]] inline float widen_half(uint16_t bits) {
  constexpr uint32_t kBias = 112u << 23;       // between the exponents of the two forms
  constexpr uint32_t kLeastNormal = 1u << 23;  // of the magnitude moved to its place in binary32
  constexpr uint32_t kLeastInfinite = 31u << 23;
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(bits & 0x7fffu) << 13;
  const auto below = [magnitude](uint32_t limit) {  // all ones where magnitude < limit
    return static_cast<uint32_t>(static_cast<int32_t>(magnitude - limit) >> 31);
  };
  const uint32_t normal = magnitude + kBias + (~below(kLeastInfinite) & kBias);
  const uint32_t subnormal =
      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude + kBias + kLeastNormal) - 0x1p-14f);
  const uint32_t small = below(kLeastNormal);
  return std::bit_cast<float>((subnormal & small) | (normal & ~small) | sign);
}

MAQUETTE_VECTOR_CLONES
void widen_halves(const uint16_t* from, int64_t count, float* to) {
  for (int64_t j = 0; j < count; ++j) to[j] = widen_half(from[j]);
}

void load_row(const void* base, DType type, int64_t offset, int64_t count, float* to) {
  const void* from = static_cast<const std::byte*>(base) + offset * static_cast<int64_t>(size_of(type));
  if (type == DType::f16) {
    const auto* halves = static_cast<const uint16_t*>(from);
    kernels::cpu().avx512 ? kernels::f16_to_f32_avx512(halves, count, to) : widen_halves(halves, count, to);
  } else {
    kernels::row_ops(type).to_f32(from, count, to);
  }
}

void store_row(const float* from, int64_t count, void* out, DType type, int64_t offset) {
  void* to = static_cast<std::byte*>(out) + offset * static_cast<int64_t>(size_of(type));
  kernels::row_ops(type).from_f32(from, count, to);
}

struct Job {
  const void* base;
  DType base_type;
  const float* up;
  const float* down;
  void* out;
  DType out_type;
  int64_t rank, rows, columns;
  int64_t first_row = 0;  // of out
};

// Rows follow each other too far apart for the processor to foresee them.
void fetch_rows(const Job& job, int64_t row, int64_t column, int64_t width) {
  const auto size = static_cast<int64_t>(size_of(job.base_type));
  for (int64_t i = row; i < std::min(row + kRows, job.rows); ++i) {
    const char* from = static_cast<const char*>(job.base) + (i * job.columns + column) * size;
    for (int64_t j = 0; j < width * size; j += 64) __builtin_prefetch(from + j);
  }
}

// The parts of up that four rows take with four columns of it; zero beyond the ends.
[[gnu::always_inline]] inline void load_up(const Job& job, int64_t row, int64_t k, float u[kRows][4]) {
  for (int64_t i = 0; i < kRows; ++i) {
    for (int64_t q = 0; q < 4; ++q) {
      u[i][q] = row + i < job.rows && k + q < job.rank ? job.up[(row + i) * job.rank + k + q] : 0;
    }
  }
}

MAQUETTE_VECTOR_CLONES
void add_to_rows(const Job& job, int64_t first_row, int64_t end_row) {
  alignas(64) float block[kRows][kColumns];
  for (int64_t column = 0; column < job.columns; column += kColumns) {
    const int64_t width = std::min(kColumns, job.columns - column);
    for (int64_t row = first_row; row < end_row; row += kRows) {
      const int64_t height = std::min(kRows, end_row - row);
      fetch_rows(job, row + kRows, column, width);
      for (int64_t i = 0; i < height; ++i) {
        load_row(job.base, job.base_type, (row + i) * job.columns + column, width, block[i]);
      }
      for (int64_t k = 0; k < job.rank; k += 4) {
        float u[kRows][4];
        load_up(job, row, k, u);
        // Rows of down beyond the rank meet zeros of up; any row stands in for them.
        const float* d[4];
        for (int64_t q = 0; q < 4; ++q)
          d[q] = job.down + std::min(k + q, job.rank - 1) * job.columns + column;
        for (int64_t j = 0; j < width; ++j) {
          const float v0 = d[0][j], v1 = d[1][j], v2 = d[2][j], v3 = d[3][j];
          block[0][j] += u[0][0] * v0 + u[0][1] * v1 + u[0][2] * v2 + u[0][3] * v3;
          block[1][j] += u[1][0] * v0 + u[1][1] * v1 + u[1][2] * v2 + u[1][3] * v3;
          block[2][j] += u[2][0] * v0 + u[2][1] * v1 + u[2][2] * v2 + u[2][3] * v3;
          block[3][j] += u[3][0] * v0 + u[3][1] * v1 + u[3][2] * v2 + u[3][3] * v3;
        }
      }
      for (int64_t i = 0; i < height; ++i) {
        store_row(block[i], width, job.out, job.out_type, (row + i - job.first_row) * job.columns + column);
      }
    }
  }
}

void convert_range(const Job& job, int64_t begin, int64_t end) {
  alignas(64) float block[kColumns];
  for (int64_t i = begin; i < end; i += kColumns) {
    const int64_t count = std::min(kColumns, end - i);
    load_row(job.base, job.base_type, i, count, block);
    store_row(block, count, job.out, job.out_type, i);
  }
}

bool loads_directly(DType type) { return type == DType::f32 || type == DType::f16 || type == DType::bf16; }

void convert_into(const Tensor& from, Tensor& out) {
  const Job job{.base = from.raw(), .base_type = from.dtype(), .out = out.raw(), .out_type = out.dtype()};
  kernels::parallel_for(from.elements(), kGrain,
                        [&job](int64_t begin, int64_t end) { convert_range(job, begin, end); });
}

}  // namespace

Tensor widened(const Tensor& t) {
  if (t.dtype() == DType::f32) return t;
  if (!loads_directly(t.dtype())) return t.to(DType::f32);
  Tensor out = Tensor::empty(t.shape());
  convert_into(t, out);
  return out;
}

void narrow_into(const Tensor& from, Tensor& out) { convert_into(from, out); }

Tensor matrix(const Tensor& t) {
  const int64_t rows = t.rank() == 0 ? 1 : t.size(0);
  const int64_t columns = rows == 0 ? 0 : t.elements() / rows;
  return widened(t).reshape({rows, columns});
}

Tensor transposed(const Tensor& m) {
  const int64_t rows = m.size(0);
  const int64_t columns = m.size(1);
  Tensor out = Tensor::empty({columns, rows});
  const float* from = m.data().data();
  float* to = out.data().data();
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
  }
  return out;
}

Tensor readable(const Tensor& base) { return loads_directly(base.dtype()) ? base : base.to(DType::f32); }

void add_product_rows(const Tensor& base, const Factors& factors, int64_t begin, int64_t end, DType type,
                      void* out) {
  const Job job{.base = base.raw(),
                .base_type = base.dtype(),
                .up = factors.up.data().data(),
                .down = factors.down.data().data(),
                .out = out,
                .out_type = type,
                .rank = factors.up.size(1),
                .rows = factors.up.size(0),
                .columns = factors.down.size(1),
                .first_row = begin};
  add_to_rows(job, begin, end);
}

void add_product(const Tensor& base, const Factors& factors, Tensor& out) {
  const Tensor wide = readable(base);
  const int64_t rows = factors.up.size(0);
  const int64_t row_bytes = factors.down.size(1) * static_cast<int64_t>(size_of(out.dtype()));
  const int64_t work = std::max<int64_t>(kRows * factors.down.size(1) * (factors.up.size(1) + 1), 1);
  kernels::parallel_for(
      (rows + kRows - 1) / kRows, std::max<int64_t>(kGrain / work, 1), [&](int64_t begin, int64_t end) {
        add_product_rows(wide, factors, begin * kRows, std::min(end * kRows, rows), out.dtype(),
                         static_cast<std::byte*>(out.raw()) + begin * kRows * row_bytes);
      });
}

Tensor product(const Tensor& a, const Tensor& b) {
  const Tensor nothing = Tensor::zeros({a.size(0), b.size(1)});
  Tensor out = Tensor::empty(nothing.shape());
  add_product(nothing, {.up = a, .down = b}, out);
  return out;
}

Tensor fold_core(const Tensor& core, const Tensor& inner) {
  const int64_t a = core.size(0);
  const int64_t b = core.size(1);
  const int64_t window = core.elements() / std::max<int64_t>(a * b, 1);
  const int64_t in = inner.size(1);
  Tensor out = Tensor::zeros({a, in * window});
  const Tensor wide = widened(core);
  const float* c = wide.data().data();
  const float* f = inner.data().data();
  float* o = out.data().data();
  kernels::parallel_for(a, std::max<int64_t>(kGrain / std::max<int64_t>(b * in * window, 1), 1),
                        [&](int64_t begin, int64_t end) {
                          for (int64_t p = begin; p < end; ++p) {
                            for (int64_t q = 0; q < b; ++q) {
                              const float* tap = c + (p * b + q) * window;
                              for (int64_t i = 0; i < in; ++i) {
                                float* to = o + (p * in + i) * window;
                                for (int64_t w = 0; w < window; ++w) to[w] += tap[w] * f[q * in + i];
                              }
                            }
                          }
                        });
  return out;
}

void add_scaled(Tensor& y, float factor, const Tensor& x) {
  float* to = y.data().data();
  const float* from = x.data().data();
  kernels::parallel_for(y.elements(), kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] += factor * from[i];
  });
}

void multiply_scaled(Tensor& y, float factor, const Tensor& x) {
  float* to = y.data().data();
  const float* from = x.data().data();
  kernels::parallel_for(y.elements(), kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] *= factor * from[i];
  });
}

}  // namespace maquette::models::dense
