#include "models/control/pictures.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/element.h"

namespace maquette::models {

using kernels::Exec;

Tensor repeat_pictures(Exec& ex, const Tensor& x, int64_t n) {
  if (x.size(0) == n) return x;
  if (x.size(0) != 1) {
    throw Error(ErrorCode::usage, "cannot use {} control pictures for a batch of {}", x.size(0), n)
        .with("expected", "one picture, or one per picture of the batch");
  }
  Shape shape = x.shape();
  shape.set(0, n);
  Tensor out = ex.empty(shape, x.dtype());
  for (int64_t i = 0; i < n; ++i) std::memcpy(out.rows(i, i + 1).raw(), x.raw(), x.bytes());
  return out;
}

Tensor scale_pictures(Exec& ex, const Tensor& x, std::span<const float> factors) {
  Tensor out = ex.empty(x.shape(), x.dtype());
  const int64_t size = x.elements() / x.size(0);
  kernels::by_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>().data();
    T* result = out.data<T>().data();
    kernels::parallel_for(x.elements(), 16384, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        result[i] = static_cast<T>(static_cast<float>(in[i]) * factors[static_cast<size_t>(i / size)]);
      }
    });
  });
  return out;
}

Tensor spread_means(Exec& ex, const Tensor& x) {
  const int64_t channels = x.size(-1);
  const int64_t pixels = x.elements() / x.size(0) / channels;
  Tensor out = ex.empty(x.shape(), x.dtype());
  kernels::by_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>().data();
    T* result = out.data<T>().data();
    kernels::parallel_for(x.size(0), 1, [&](int64_t begin, int64_t end) {
      std::vector<double> sums(static_cast<size_t>(channels));
      for (int64_t image = begin; image < end; ++image) {
        const int64_t first = image * pixels * channels;
        std::ranges::fill(sums, 0.0);
        for (int64_t i = 0; i < pixels * channels; ++i) {
          sums[static_cast<size_t>(i % channels)] += static_cast<float>(in[first + i]);
        }
        for (int64_t i = 0; i < pixels * channels; ++i) {
          const double mean = sums[static_cast<size_t>(i % channels)] / static_cast<double>(pixels);
          result[first + i] = static_cast<T>(static_cast<float>(mean));
        }
      }
    });
  });
  return out;
}

Tensor halve_rounding_up(Exec& ex, const Tensor& x) {
  if (x.size(1) % 2 == 0 && x.size(2) % 2 == 0) return kernels::average_pool(ex, x, 2);
  const int64_t height = (x.size(1) + 1) / 2;
  const int64_t width = (x.size(2) + 1) / 2;
  const int64_t channels = x.size(3);
  Tensor out = ex.empty({x.size(0), height, width, channels}, x.dtype());
  kernels::by_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>().data();
    T* result = out.data<T>().data();
    kernels::parallel_for(x.size(0) * height, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t top = row % height * 2;
        const int64_t rows = std::min<int64_t>(2, x.size(1) - top);
        for (int64_t i = 0; i < width * channels; ++i) {
          const int64_t left = i / channels * 2;
          const int64_t columns = std::min<int64_t>(2, x.size(2) - left);
          float sum = 0;
          for (int64_t dy = 0; dy < rows; ++dy) {
            for (int64_t dx = 0; dx < columns; ++dx) {
              const int64_t pixel = (row / height * x.size(1) + top + dy) * x.size(2) + left + dx;
              sum += static_cast<float>(in[pixel * channels + i % channels]);
            }
          }
          result[row * width * channels + i] = static_cast<T>(sum / static_cast<float>(rows * columns));
        }
      }
    });
  });
  return out;
}

}  // namespace maquette::models
