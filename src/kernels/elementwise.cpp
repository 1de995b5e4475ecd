// Element by element: activations, sums, softmax, conversions.
#include <algorithm>
#include <cmath>

#include "kernels/element.h"
#include "kernels/ops.h"
#include "kernels/row_ops.h"

namespace maquette::kernels {

namespace {

constexpr int64_t kGrain = 16384;  // elements that are worth a thread

void same_shape(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) {
    throw Error(ErrorCode::failed, "cannot add tensors of {} {} and {} {}", a.shape().text(), name(a.dtype()),
                b.shape().text(), name(b.dtype()));
  }
}

const char* at(const Tensor& t, int64_t element) {
  return static_cast<const char*>(t.raw()) + element * static_cast<int64_t>(size_of(t.dtype()));
}
char* at(Tensor& t, int64_t element) {
  return static_cast<char*>(t.raw()) + element * static_cast<int64_t>(size_of(t.dtype()));
}

}  // namespace

Tensor activation(Exec& ex, const Tensor& x, Activation kind) {
  ProfileScope profile(ex, "activation", 0);
  const RowOps& ops = row_ops(x.dtype());
  Tensor out = ex.empty(x.shape(), x.dtype());
  parallel_for(x.elements(), kGrain, [&](int64_t begin, int64_t end) {
    ops.activate(kind, at(x, begin), end - begin, at(out, begin));
  });
  return out;
}

Tensor softmax_rows(Exec& ex, const Tensor& x) {
  const int64_t width = x.size(-1);
  Tensor out = ex.empty(x.shape(), x.dtype());
  by_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>().data();
    T* result = out.data<T>().data();
    parallel_for(x.elements() / width, 16, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* from = in + row * width;
        float largest = static_cast<float>(from[0]);
        for (int64_t i = 1; i < width; ++i) largest = std::max(largest, static_cast<float>(from[i]));
        double total = 0;
        for (int64_t i = 0; i < width; ++i) total += std::exp(static_cast<float>(from[i]) - largest);
        for (int64_t i = 0; i < width; ++i) {
          const double e = std::exp(static_cast<float>(from[i]) - largest);
          result[row * width + i] = static_cast<T>(static_cast<float>(e / total));
        }
      }
    });
  });
  return out;
}

Tensor add(Exec& ex, const Tensor& a, const Tensor& b) { return add_scaled(ex, a, b, 1); }

Tensor scale(Exec& ex, const Tensor& x, float factor) {
  const RowOps& ops = row_ops(x.dtype());
  Tensor out = ex.empty(x.shape(), x.dtype());
  parallel_for(x.elements(), kGrain, [&](int64_t begin, int64_t end) {
    ops.scale(at(x, begin), factor, end - begin, at(out, begin));
  });
  return out;
}

Tensor add_scaled(Exec& ex, const Tensor& a, const Tensor& b, float factor) {
  same_shape(a, b);
  ProfileScope profile(ex, "add", 0);
  Tensor out = ex.empty(a.shape(), a.dtype());
  const RowOps& ops = row_ops(a.dtype());
  parallel_for(a.elements(), kGrain, [&](int64_t begin, int64_t end) {
    ops.add_scaled(at(a, begin), at(b, begin), factor, end - begin, at(out, begin));
  });
  return out;
}

Tensor convert(Exec& ex, const Tensor& x, DType type) {
  if (x.dtype() == type) return x;
  Tensor out = ex.empty(x.shape(), type);
  parallel_for(x.elements(), kGrain, [&](int64_t begin, int64_t end) {
    if (type == DType::f32) {
      row_ops(x.dtype()).to_f32(at(x, begin), end - begin, out.data().data() + begin);
    } else {
      row_ops(type).from_f32(x.data().data() + begin, end - begin, at(out, begin));
    }
  });
  return out;
}

}  // namespace maquette::kernels
