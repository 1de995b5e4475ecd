// The plain set of row operations, and the choice between the sets.
#include "kernels/row_ops.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "kernels/cpu.h"
#include "kernels/threads.h"
#include "tensor/tensor.h"

namespace maquette::kernels {

namespace {

template <typename T>
void channel_moments(const PixelRows& x, const float* center, float* sums, float* squares) {
  std::fill_n(sums, x.channels, 0.0f);
  std::fill_n(squares, x.channels, 0.0f);
  const T* values = static_cast<const T*>(x.x);
  for (int64_t pixel = 0; pixel < x.pixels; ++pixel, values += x.channels) {
    for (int64_t c = 0; c < x.channels; ++c) {
      const float d = static_cast<float>(values[c]) - center[c];
      sums[c] += d;
      squares[c] += d * d;
    }
  }
}

template <typename T>
void scale_channels(const PixelRows& x, const float* factor, const float* offset, bool silu, void* out) {
  const T* from = static_cast<const T*>(x.x);
  T* to = static_cast<T*>(out);
  for (int64_t pixel = 0; pixel < x.pixels; ++pixel, from += x.channels, to += x.channels) {
    for (int64_t c = 0; c < x.channels; ++c) {
      const float v = static_cast<float>(from[c]) * factor[c] + offset[c];
      to[c] = static_cast<T>(silu ? activate(Activation::silu, v) : v);
    }
  }
}

template <typename T>
void layer_norm(const LayerNormRows& r) {
  for (int64_t row = 0; row < r.rows; ++row) {
    const T* from = static_cast<const T*>(r.x) + row * r.width;
    T* to = static_cast<T*>(r.out) + row * r.width;
    double sum = 0;
    for (int64_t i = 0; i < r.width; ++i) sum += static_cast<float>(from[i]);
    const auto mean = static_cast<float>(sum / static_cast<double>(r.width));
    double squares = 0;
    for (int64_t i = 0; i < r.width; ++i) {
      const float d = static_cast<float>(from[i]) - mean;
      squares += d * d;
    }
    const auto inverse =
        static_cast<float>(1 / std::sqrt(squares / static_cast<double>(r.width) + r.epsilon));
    for (int64_t i = 0; i < r.width; ++i) {
      to[i] = static_cast<T>((static_cast<float>(from[i]) - mean) * inverse * r.weight[i] + r.bias[i]);
    }
  }
}

template <typename T>
void activate_all(Activation kind, const void* x, int64_t count, void* out) {
  for (int64_t i = 0; i < count; ++i) {
    static_cast<T*>(out)[i] = static_cast<T>(activate(kind, static_cast<float>(static_cast<const T*>(x)[i])));
  }
}

template <typename T>
void add_scaled(const void* x, const void* y, float factor, int64_t count, void* out) {
  for (int64_t i = 0; i < count; ++i) {
    const auto a = static_cast<float>(static_cast<const T*>(x)[i]);
    static_cast<T*>(out)[i] = static_cast<T>(a + factor * static_cast<float>(static_cast<const T*>(y)[i]));
  }
}

template <typename T>
void scale(const void* x, float factor, int64_t count, void* out) {
  for (int64_t i = 0; i < count; ++i) {
    static_cast<T*>(out)[i] = static_cast<T>(factor * static_cast<float>(static_cast<const T*>(x)[i]));
  }
}

template <typename T>
void to_f32(const void* x, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(static_cast<const T*>(x)[i]);
}

template <typename T>
void from_f32(const float* x, int64_t count, void* out) {
  for (int64_t i = 0; i < count; ++i) static_cast<T*>(out)[i] = static_cast<T>(x[i]);
}

template <typename T>
RowOps plain(DType type) {
  return {.name = "plain",
          .type = type,
          .channel_moments = channel_moments<T>,
          .scale_channels = scale_channels<T>,
          .layer_norm = layer_norm<T>,
          .activate = activate_all<T>,
          .add_scaled = add_scaled<T>,
          .scale = scale<T>,
          .to_f32 = to_f32<T>,
          .from_f32 = from_f32<T>};
}

}  // namespace

std::span<const RowOps> all_row_ops() {
  static const std::vector<RowOps> sets = [] {
    std::vector<RowOps> found;
    if (cpu().avx512) found.push_back(kAvx512RowOpsF32);
    if (cpu().avx512_bf16) found.push_back(kAvx512RowOpsBf16);
    found.push_back(plain<float>(DType::f32));
    found.push_back(plain<bfloat16>(DType::bf16));
    return found;
  }();
  return sets;
}

const RowOps& row_ops(DType type) {
  for (const RowOps& set : all_row_ops()) {
    if (set.type == type) return set;
  }
  throw Error(ErrorCode::failed, "cannot compute on a tensor of {}", name(type));
}

Tensor widen(const Tensor& t) {
  const bool f16 = t.dtype() == DType::f16 && cpu().avx512;
  if (!f16 && t.dtype() != DType::bf16) return t.to(DType::f32);
  Tensor out = Tensor::empty(t.shape());
  float* to = out.data().data();
  const auto* from = static_cast<const uint16_t*>(t.raw());
  parallel_for(t.elements(), 65536, [&](int64_t begin, int64_t end) {
    if (f16) {
      f16_to_f32_avx512(from + begin, end - begin, to + begin);
    } else {
      row_ops(DType::bf16).to_f32(from + begin, end - begin, to + begin);
    }
  });
  return out;
}

}  // namespace maquette::kernels
