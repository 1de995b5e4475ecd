// Moving pixels: layout at the borders of the engine, concatenation, resampling, wrapping. Whole pixels (all
// channels) are copied as bytes, so one version serves every element type.
#include <cstring>

#include "kernels/element.h"
#include "kernels/ops.h"

namespace maquette::kernels {

namespace {

size_t pixel_bytes(const Tensor& x) { return static_cast<size_t>(x.size(-1)) * size_of(x.dtype()); }

std::byte* bytes_of(Tensor& t) { return static_cast<std::byte*>(t.raw()); }
const std::byte* bytes_of(const Tensor& t) { return static_cast<const std::byte*>(t.raw()); }

// Rows of a and b side by side: out[i] = a[i] b[i], for `rows` rows.
void interleave(const Tensor& a, const Tensor& b, int64_t rows, Tensor& out) {
  const size_t width_a = a.bytes() / static_cast<size_t>(rows);
  const size_t width_b = b.bytes() / static_cast<size_t>(rows);
  parallel_for(rows, 256, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      std::byte* to = bytes_of(out) + static_cast<size_t>(row) * (width_a + width_b);
      std::memcpy(to, bytes_of(a) + static_cast<size_t>(row) * width_a, width_a);
      std::memcpy(to + width_a, bytes_of(b) + static_cast<size_t>(row) * width_b, width_b);
    }
  });
}

// Index on a wrapped axis.
int64_t wrapped(int64_t i, int64_t size) { return (i % size + size) % size; }

}  // namespace

Tensor concat_channels(Exec& ex, const Tensor& a, const Tensor& b) {
  if (a.rank() != 4 || b.rank() != 4 || a.size(0) != b.size(0) || a.size(1) != b.size(1) ||
      a.size(2) != b.size(2) || a.dtype() != b.dtype()) {
    throw Error(ErrorCode::failed, "cannot concatenate the channels of {} and {}", a.shape().text(),
                b.shape().text());
  }
  ProfileScope profile(ex, "concat", 0);
  Tensor out = ex.empty({a.size(0), a.size(1), a.size(2), a.size(3) + b.size(3)}, a.dtype());
  interleave(a, b, a.size(0) * a.size(1) * a.size(2), out);
  return out;
}

Tensor concat_tokens(Exec& ex, const Tensor& a, const Tensor& b) {
  if (a.rank() != 3 || b.rank() != 3 || a.size(0) != b.size(0) || a.size(2) != b.size(2) ||
      a.dtype() != b.dtype()) {
    throw Error(ErrorCode::failed, "cannot concatenate the tokens of {} and {}", a.shape().text(),
                b.shape().text());
  }
  Tensor out = ex.empty({a.size(0), a.size(1) + b.size(1), a.size(2)}, a.dtype());
  interleave(a, b, a.size(0), out);
  return out;
}

Tensor resize_nearest(Exec& ex, const Tensor& x, int64_t height, int64_t width) {
  ProfileScope profile(ex, "resize", 0);
  const size_t pixel = pixel_bytes(x);
  Tensor out = ex.empty({x.size(0), height, width, x.size(3)}, x.dtype());
  parallel_for(x.size(0) * height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t source_row = row / height * x.size(1) + row % height * x.size(1) / height;
      for (int64_t column = 0; column < width; ++column) {
        const int64_t source = source_row * x.size(2) + column * x.size(2) / width;
        std::memcpy(bytes_of(out) + static_cast<size_t>(row * width + column) * pixel,
                    bytes_of(x) + static_cast<size_t>(source) * pixel, pixel);
      }
    }
  });
  return out;
}

Tensor average_pool(Exec& ex, const Tensor& x, int factor) {
  const int64_t height = x.size(1) / factor;
  const int64_t width = x.size(2) / factor;
  const int64_t channels = x.size(3);
  Tensor out = ex.empty({x.size(0), height, width, channels}, x.dtype());
  by_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>().data();
    T* result = out.data<T>().data();
    parallel_for(x.size(0) * height, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        for (int64_t i = 0; i < width * channels; ++i) {
          float sum = 0;
          for (int dy = 0; dy < factor; ++dy) {
            const int64_t source_row = row / height * x.size(1) + row % height * factor + dy;
            for (int dx = 0; dx < factor; ++dx) {
              const int64_t column = i / channels * factor + dx;
              sum += static_cast<float>(in[(source_row * x.size(2) + column) * channels + i % channels]);
            }
          }
          result[row * width * channels + i] = static_cast<T>(sum / static_cast<float>(factor * factor));
        }
      }
    });
  });
  return out;
}

namespace {

// Both directions of the shuffle: calls move(index in the large picture, index in the small one).
template <typename Move>
void for_each_shuffled(const Shape& large, int factor, ShuffleOrder order, const Move& move) {
  const int64_t channels = large[3];
  const int64_t height = large[1] / factor;
  const int64_t width = large[2] / factor;
  parallel_for(large[0] * height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t column = 0; column < width; ++column) {
        for (int dy = 0; dy < factor; ++dy) {
          for (int dx = 0; dx < factor; ++dx) {
            for (int64_t c = 0; c < channels; ++c) {
              const int64_t block = dy * factor + dx;
              const int64_t inner =
                  order == ShuffleOrder::pytorch ? c * factor * factor + block : block * channels + c;
              const int64_t big_row = row / height * large[1] + row % height * factor + dy;
              const int64_t big = (big_row * large[2] + column * factor + dx) * channels + c;
              move(big, (row * width + column) * channels * factor * factor + inner);
            }
          }
        }
      }
    }
  });
}

}  // namespace

Tensor pixel_unshuffle(Exec& ex, const Tensor& x, int factor) {
  if (x.size(1) % factor != 0 || x.size(2) % factor != 0) {
    throw Error(ErrorCode::usage, "cannot fold a picture of {}", x.shape().text())
        .with("expected", fmt::format("multiples of {}", factor));
  }
  Tensor out =
      ex.empty({x.size(0), x.size(1) / factor, x.size(2) / factor, x.size(3) * factor * factor}, x.dtype());
  by_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>().data();
    T* result = out.data<T>().data();
    for_each_shuffled(x.shape(), factor, ShuffleOrder::pytorch,
                      [&](int64_t large, int64_t small) { result[small] = in[large]; });
  });
  return out;
}

Tensor pixel_shuffle(Exec& ex, const Tensor& x, int factor, ShuffleOrder order) {
  if (x.size(3) % (factor * factor) != 0) {
    throw Error(ErrorCode::weights, "cannot unfold {} channels by {}", x.size(3), factor);
  }
  Tensor out =
      ex.empty({x.size(0), x.size(1) * factor, x.size(2) * factor, x.size(3) / (factor * factor)}, x.dtype());
  by_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>().data();
    T* result = out.data<T>().data();
    for_each_shuffled(out.shape(), factor, order,
                      [&](int64_t large, int64_t small) { result[large] = in[small]; });
  });
  return out;
}

Tensor to_channels_last(Exec& ex, const Tensor& nchw) {
  const int64_t channels = nchw.size(1);
  const int64_t pixels = nchw.size(2) * nchw.size(3);
  Tensor out = ex.empty({nchw.size(0), nchw.size(2), nchw.size(3), channels});
  const float* in = nchw.data().data();
  by_type(out.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* result = out.data<T>().data();
    parallel_for(nchw.size(0) * pixels, 1024, [&](int64_t begin, int64_t end) {
      for (int64_t pixel = begin; pixel < end; ++pixel) {
        const float* from = in + pixel / pixels * channels * pixels + pixel % pixels;
        for (int64_t c = 0; c < channels; ++c)
          result[pixel * channels + c] = static_cast<T>(from[c * pixels]);
      }
    });
  });
  return out;
}

Tensor to_channels_first(const Tensor& nhwc) {
  const int64_t channels = nhwc.size(3);
  const int64_t pixels = nhwc.size(1) * nhwc.size(2);
  Tensor out = Tensor::empty({nhwc.size(0), channels, nhwc.size(1), nhwc.size(2)});
  float* result = out.data().data();
  by_type(nhwc.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = nhwc.data<T>().data();
    parallel_for(nhwc.size(0) * pixels, 1024, [&](int64_t begin, int64_t end) {
      for (int64_t pixel = begin; pixel < end; ++pixel) {
        float* to = result + pixel / pixels * channels * pixels + pixel % pixels;
        for (int64_t c = 0; c < channels; ++c) to[c * pixels] = static_cast<float>(in[pixel * channels + c]);
      }
    });
  });
  return out;
}

Tensor pad_wrapped(Exec& ex, const Tensor& x, const Padding& padding) {
  const int64_t height = x.size(1) + padding.top + padding.bottom;
  const int64_t width = x.size(2) + padding.left + padding.right;
  const size_t pixel = pixel_bytes(x);
  Tensor out = ex.empty({x.size(0), height, width, x.size(3)}, x.dtype());
  parallel_for(x.size(0) * height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t source_row = row / height * x.size(1) + wrapped(row % height - padding.top, x.size(1));
      for (int64_t column = 0; column < width; ++column) {
        const int64_t source = source_row * x.size(2) + wrapped(column - padding.left, x.size(2));
        std::memcpy(bytes_of(out) + static_cast<size_t>(row * width + column) * pixel,
                    bytes_of(x) + static_cast<size_t>(source) * pixel, pixel);
      }
    }
  });
  return out;
}

}  // namespace maquette::kernels
