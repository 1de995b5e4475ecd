// Element by element: activations, sums, softmax, conversions.
#include <algorithm>
#include <cmath>

#include "kernels/element.h"
#include "kernels/ops.h"

namespace maquette::kernels {

namespace {

constexpr int64_t kGrain = 16384;  // elements that are worth a thread

void same_shape(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) {
    throw Error(ErrorCode::failed, "cannot add tensors of {} {} and {} {}", a.shape().text(), name(a.dtype()),
                b.shape().text(), name(b.dtype()));
  }
}

// out[i] = f(a[i]) for any activation type.
template <typename F>
Tensor map(Exec& ex, const Tensor& a, const F& f) {
  Tensor out = ex.empty(a.shape(), a.dtype());
  by_type(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* x = a.data<T>().data();
    T* y = out.data<T>().data();
    parallel_for(a.elements(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = static_cast<T>(f(static_cast<float>(x[i])));
    });
  });
  return out;
}

}  // namespace

Tensor activation(Exec& ex, const Tensor& x, Activation kind) {
  ProfileScope profile(ex, "activation", 0);
  return map(ex, x, [kind](float v) { return activate(kind, v); });
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
  return map(ex, x, [factor](float v) { return v * factor; });
}

Tensor add_scaled(Exec& ex, const Tensor& a, const Tensor& b, float factor) {
  same_shape(a, b);
  ProfileScope profile(ex, "add", 0);
  Tensor out = ex.empty(a.shape(), a.dtype());
  by_type(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* x = a.data<T>().data();
    const T* y = b.data<T>().data();
    T* z = out.data<T>().data();
    parallel_for(a.elements(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        z[i] = static_cast<T>(static_cast<float>(x[i]) + factor * static_cast<float>(y[i]));
      }
    });
  });
  return out;
}

Tensor convert(Exec& ex, const Tensor& x, DType type) {
  if (x.dtype() == type) return x;
  Tensor out = ex.empty(x.shape(), type);
  by_type(x.dtype(), [&](auto from_zero) {
    by_type(type, [&](auto to_zero) {
      using From = decltype(from_zero);
      using To = decltype(to_zero);
      const From* from = x.data<From>().data();
      To* to = out.data<To>().data();
      parallel_for(x.elements(), kGrain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) to[i] = static_cast<To>(static_cast<float>(from[i]));
      });
    });
  });
  return out;
}

}  // namespace maquette::kernels
