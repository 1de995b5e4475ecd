// Group and layer normalisation (Wu & He 2018, Ba et al. 2016). The variance is taken around the mean, never
// as E[x^2] - E[x]^2, which loses digits where the mean is large. For group norm, each channel of a small
// part of the picture gets a mean and a sum of squares around a centre near it; these are joined exactly
// (Chan et al. 1983, equation 2.1) in a fixed order, so that results do not depend on the number of threads.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/ops.h"
#include "kernels/row_ops.h"

namespace maquette::kernels {

namespace {

constexpr int64_t kPartElements = 32768;       // that stay in the cache between two passes
constexpr int64_t kCenterPixels = 16;          // from which the centre of a part's channels is taken
constexpr int64_t kGrain = 2 * kPartElements;  // elements that are worth a thread

struct GroupLayout {
  int64_t n, pixels, channels, groups;
  int64_t width() const { return channels / groups; }  // channels of one group
  int64_t pixels_per_part() const { return std::clamp<int64_t>(kPartElements / channels, 16, 1024); }
  int64_t parts() const { return (pixels + pixels_per_part() - 1) / pixels_per_part(); }
};

// Count, mean and sum of squared differences from the mean.
struct Moments {
  double count = 0, mean = 0, squares = 0;
  void join(const Moments& other) {
    const double both = count + other.count;
    if (both == 0) return;
    const double difference = other.mean - mean;
    squares += other.squares + difference * difference * count * other.count / both;
    mean += difference * other.count / both;
    count = both;
  }
};

// The moments of every group in one part of a picture, around the mean of each channel over the part's first
// pixels: near enough to the true one for the squares to keep their digits, and the part is read only once
// more.
void part_moments(const RowOps& ops, const GroupLayout& g, const PixelRows& part, Moments* moments) {
  const auto channels = static_cast<size_t>(g.channels);
  std::vector<float> center(channels, 0.0f), sums(channels), squares(channels);
  PixelRows first = part;
  first.pixels = std::min<int64_t>(part.pixels, kCenterPixels);
  ops.channel_moments(first, center.data(), sums.data(), squares.data());
  for (size_t c = 0; c < channels; ++c) center[c] = sums[c] / static_cast<float>(first.pixels);
  ops.channel_moments(part, center.data(), sums.data(), squares.data());
  const auto pixels = static_cast<double>(part.pixels);
  for (int64_t group = 0; group < g.groups; ++group) {
    const auto begin = static_cast<size_t>(group * g.width());
    const auto end = begin + static_cast<size_t>(g.width());
    Moments& m = moments[group];
    double total = 0;
    for (size_t c = begin; c < end; ++c) total += pixels * center[c] + sums[c];
    m.count = pixels * static_cast<double>(g.width());
    m.mean = total / m.count;
    for (size_t c = begin; c < end; ++c) {
      const double shift = center[c] - m.mean;
      m.squares += squares[c] + 2 * shift * sums[c] + pixels * shift * shift;
    }
  }
}

const char* at_pixel(const Tensor& x, const GroupLayout& g, int64_t pixel) {
  return static_cast<const char*>(x.raw()) + pixel * g.channels * static_cast<int64_t>(size_of(x.dtype()));
}

// [n * groups]
std::vector<Moments> group_moments(const RowOps& ops, const Tensor& x, const GroupLayout& g) {
  const int64_t parts = g.parts();
  std::vector<Moments> partial(static_cast<size_t>(g.n * parts * g.groups));
  parallel_for(g.n * parts, kGrain / kPartElements, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t first = index % parts * g.pixels_per_part();
      const PixelRows part{.x = at_pixel(x, g, index / parts * g.pixels + first),
                           .pixels = std::min(g.pixels_per_part(), g.pixels - first),
                           .channels = g.channels};
      part_moments(ops, g, part, partial.data() + index * g.groups);
    }
  });
  std::vector<Moments> joined(static_cast<size_t>(g.n * g.groups));
  for (int64_t index = 0; index < g.n * parts; ++index) {
    for (int64_t group = 0; group < g.groups; ++group) {
      joined[static_cast<size_t>(index / parts * g.groups + group)].join(
          partial[static_cast<size_t>(index * g.groups + group)]);
    }
  }
  return joined;
}

void group_norm_into(const Tensor& x, const GroupLayout& g, const GroupNormParameters& p, Tensor& out) {
  const RowOps& ops = row_ops(x.dtype());
  const std::vector<Moments> moments = group_moments(ops, x, g);

  // The whole becomes one multiplication and one addition per channel.
  std::vector<float> factor(static_cast<size_t>(g.n * g.channels));
  std::vector<float> offset(factor.size());
  for (int64_t image = 0; image < g.n; ++image) {
    for (int64_t c = 0; c < g.channels; ++c) {
      const Moments& group = moments[static_cast<size_t>(image * g.groups + c / g.width())];
      const double inverse = 1 / std::sqrt(group.squares / group.count + p.epsilon);
      const auto channel = static_cast<size_t>(c);
      const double weight = p.weight ? p.weight->data()[channel] : 1;
      const double bias = p.bias ? p.bias->data()[channel] : 0;
      const auto index = static_cast<size_t>(image * g.channels + c);
      factor[index] = static_cast<float>(weight * inverse);
      offset[index] = static_cast<float>(bias - group.mean * weight * inverse);
    }
  }
  parallel_for(g.n * g.pixels, kGrain / g.channels, [&](int64_t begin, int64_t end) {
    for (int64_t pixel = begin; pixel < end;) {  // image by image
      const int64_t image = pixel / g.pixels;
      const int64_t stop = std::min(end, (image + 1) * g.pixels);
      ops.scale_channels({.x = at_pixel(x, g, pixel), .pixels = stop - pixel, .channels = g.channels},
                         factor.data() + image * g.channels, offset.data() + image * g.channels, p.silu,
                         const_cast<char*>(at_pixel(out, g, pixel)));
      pixel = stop;
    }
  });
}

}  // namespace

namespace {

// weight and bias hold one number for each channel of x, which is not empty.
void check_norm(const Tensor& x, const Tensor* weight, const Tensor* bias) {
  const int64_t channels = x.rank() > 0 ? x.size(-1) : 0;
  for (const Tensor* t : {weight, bias}) {
    if (t && t->elements() == channels && x.elements() > 0) continue;
    if (!t && x.elements() > 0) continue;
    throw Error(ErrorCode::weights, "cannot normalise {} with weights for another number of channels",
                x.shape().text())
        .with("found", t ? t->shape().text() : "none")
        .with("expected", fmt::format("[{}]", channels));
  }
}

}  // namespace

Tensor group_norm(Exec& ex, const Tensor& x, const GroupNormParameters& parameters) {
  check_norm(x, parameters.weight, parameters.bias);
  const GroupLayout layout{.n = x.size(0),
                           .pixels = x.elements() / x.size(0) / x.size(-1),
                           .channels = x.size(-1),
                           .groups = parameters.groups};
  if (layout.groups < 1 || layout.channels % layout.groups != 0) {
    throw Error(ErrorCode::weights, "cannot normalise {} channels in {} groups", layout.channels,
                layout.groups);
  }
  ProfileScope profile(ex, "group norm", 0);
  Tensor out = ex.empty(x.shape(), x.dtype());
  group_norm_into(x, layout, parameters, out);
  return out;
}

Tensor layer_norm(Exec& ex, const Tensor& x, const Tensor& weight, const Tensor& bias, float epsilon) {
  check_norm(x, &weight, &bias);
  ProfileScope profile(ex, "layer norm", 0);
  Tensor out = ex.empty(x.shape(), x.dtype());
  const RowOps& ops = row_ops(x.dtype());
  const int64_t width = x.size(-1);
  const int64_t row_bytes = width * static_cast<int64_t>(size_of(x.dtype()));
  parallel_for(x.elements() / width, kGrain / width, [&](int64_t begin, int64_t end) {
    ops.layer_norm({.x = static_cast<const char*>(x.raw()) + begin * row_bytes,
                    .out = static_cast<char*>(out.raw()) + begin * row_bytes,
                    .rows = end - begin,
                    .width = width,
                    .weight = weight.data().data(),
                    .bias = bias.data().data(),
                    .epsilon = epsilon});
  });
  return out;
}

}  // namespace maquette::kernels
