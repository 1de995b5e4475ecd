// Group and layer normalisation. Means and variances in two passes over the data (the one-pass form
// E[x^2] - E[x]^2 loses digits where the mean is large); partial sums in double, one per row of pixels and group,
// added in a fixed order, so that results do not depend on the number of threads.
#include <cmath>

#include "kernels/element.h"
#include "kernels/ops.h"

namespace maquette::kernels {

namespace {

struct GroupLayout {
  int64_t n, pixels, channels, groups;
  int64_t width() const { return channels / groups; }  // channels of one group
};

constexpr int64_t kPixelsPerPart = 256;  // pixels whose sums are taken by one thread before adding up

// sums[part][group] of f(x, group) over the parts of one picture; then added over the parts.
template <typename T, typename F>
std::vector<double> group_sums(const T* x, const GroupLayout& g, const F& f) {
  const int64_t parts = (g.pixels + kPixelsPerPart - 1) / kPixelsPerPart;
  std::vector<double> partial(static_cast<size_t>(g.n * parts * g.groups), 0.0);
  parallel_for(g.n * parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t image = index / parts;
      const int64_t first = index % parts * kPixelsPerPart;
      const int64_t last = std::min(first + kPixelsPerPart, g.pixels);
      double* sums = partial.data() + index * g.groups;
      for (int64_t pixel = first; pixel < last; ++pixel) {
        const T* values = x + (image * g.pixels + pixel) * g.channels;
        for (int64_t group = 0; group < g.groups; ++group) {
          float sum = 0;
          for (int64_t c = 0; c < g.width(); ++c) {
            sum += f(static_cast<float>(values[group * g.width() + c]), image * g.groups + group);
          }
          sums[group] += sum;
        }
      }
    }
  });
  std::vector<double> total(static_cast<size_t>(g.n * g.groups), 0.0);
  for (int64_t index = 0; index < g.n * parts; ++index) {
    for (int64_t group = 0; group < g.groups; ++group) {
      total[static_cast<size_t>(index / parts * g.groups + group)] +=
          partial[static_cast<size_t>(index * g.groups + group)];
    }
  }
  return total;
}

template <typename T>
void group_norm_typed(const Tensor& x, const GroupLayout& g, const GroupNormParameters& p, Tensor& out) {
  const T* in = x.data<T>().data();
  T* result = out.data<T>().data();
  const double count = static_cast<double>(g.pixels * g.width());

  // First pass: means. Second pass: variances around them.
  std::vector<double> mean = group_sums(in, g, [](float v, int64_t) { return v; });
  for (double& m : mean) m /= count;
  std::vector<float> center(mean.begin(), mean.end());
  std::vector<double> variance = group_sums(in, g, [&](float v, int64_t group) {
    const float d = v - center[static_cast<size_t>(group)];
    return d * d;
  });

  // The whole becomes one multiplication and one addition per channel.
  std::vector<float> factor(static_cast<size_t>(g.n * g.channels));
  std::vector<float> offset(factor.size());
  for (int64_t image = 0; image < g.n; ++image) {
    for (int64_t c = 0; c < g.channels; ++c) {
      const auto group = static_cast<size_t>(image * g.groups + c / g.width());
      const double inverse = 1 / std::sqrt(variance[group] / count + p.epsilon);
      const auto channel = static_cast<size_t>(c);
      const double weight = p.weight ? p.weight->data()[channel] : 1;
      const double bias = p.bias ? p.bias->data()[channel] : 0;
      const auto index = static_cast<size_t>(image * g.channels + c);
      factor[index] = static_cast<float>(weight * inverse);
      offset[index] = static_cast<float>(bias - mean[group] * weight * inverse);
    }
  }
  parallel_for(g.n * g.pixels, 64, [&](int64_t begin, int64_t end) {
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      const float* scale = factor.data() + pixel / g.pixels * g.channels;
      const float* shift = offset.data() + pixel / g.pixels * g.channels;
      const T* from = in + pixel * g.channels;
      T* to = result + pixel * g.channels;
      for (int64_t c = 0; c < g.channels; ++c) {
        const float v = static_cast<float>(from[c]) * scale[c] + shift[c];
        to[c] = static_cast<T>(p.silu ? activate(Activation::silu, v) : v);
      }
    }
  });
}

template <typename T>
void layer_norm_typed(const Tensor& x, const Tensor& weight, const Tensor& bias, float epsilon, Tensor& out) {
  const int64_t width = x.size(-1);
  const T* in = x.data<T>().data();
  T* result = out.data<T>().data();
  const float* w = weight.data().data();
  const float* b = bias.data().data();
  parallel_for(x.elements() / width, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* from = in + row * width;
      double sum = 0;
      for (int64_t i = 0; i < width; ++i) sum += static_cast<float>(from[i]);
      const auto mean = static_cast<float>(sum / static_cast<double>(width));
      double squares = 0;
      for (int64_t i = 0; i < width; ++i) {
        const float d = static_cast<float>(from[i]) - mean;
        squares += d * d;
      }
      const auto inverse = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(width) + epsilon));
      for (int64_t i = 0; i < width; ++i) {
        result[row * width + i] = static_cast<T>((static_cast<float>(from[i]) - mean) * inverse * w[i] + b[i]);
      }
    }
  });
}

}  // namespace

Tensor group_norm(Exec& ex, const Tensor& x, const GroupNormParameters& parameters) {
  const GroupLayout layout{.n = x.size(0),
                           .pixels = x.elements() / x.size(0) / x.size(-1),
                           .channels = x.size(-1),
                           .groups = parameters.groups};
  if (layout.groups < 1 || layout.channels % layout.groups != 0) {
    throw Error(ErrorCode::weights, "cannot normalise {} channels in {} groups", layout.channels, layout.groups);
  }
  ProfileScope profile(ex, "group norm", 0);
  Tensor out = ex.empty(x.shape(), x.dtype());
  by_type(x.dtype(), [&](auto zero) { group_norm_typed<decltype(zero)>(x, layout, parameters, out); });
  return out;
}

Tensor layer_norm(Exec& ex, const Tensor& x, const Tensor& weight, const Tensor& bias, float epsilon) {
  ProfileScope profile(ex, "layer norm", 0);
  Tensor out = ex.empty(x.shape(), x.dtype());
  by_type(x.dtype(), [&](auto zero) { layer_norm_typed<decltype(zero)>(x, weight, bias, epsilon, out); });
  return out;
}

}  // namespace maquette::kernels
