// Separable resampling as in Pillow (src/libImaging/Resample.c describes it; the formulas are written afresh
// here).
//
// An output sample at x lies at centre c = (x + 1/2) s in the input, s = input / output. With f = max(s, 1)
// the weight of input sample i is w((i + 1/2 - c) / f), over the i within support * f of c, then divided by
// the sum of weights. On 8 bits the weights are rounded to multiples of 2^-22 and each pass, horizontal
// first, rounds to a level.
#include "media/resize.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace maquette::media {

namespace {

constexpr int kFractionBits = 22;

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

// Keys' cubic with a = -1/2.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

double weight_at(Filter filter, double x) {
  switch (filter) {
    case Filter::nearest: break;
    case Filter::box: return x > -0.5 && x <= 0.5 ? 1 : 0;
    case Filter::bilinear: return std::max(0.0, 1 - std::abs(x));
    case Filter::bicubic: return cubic(x);
    case Filter::lanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
  return 0;
}

double support_of(Filter filter) {
  switch (filter) {
    case Filter::nearest: return 0;
    case Filter::box: return 0.5;
    case Filter::bilinear: return 1;
    case Filter::bicubic: return 2;
    case Filter::lanczos: return 3;
  }
  return 0;
}

// The weights of every output sample: output x reads input first[x] .. first[x] + count[x].
template <typename W>
struct Kernel {
  size_t widest = 0;
  std::vector<size_t> first;
  std::vector<size_t> count;
  std::vector<W> weights;  // [outputs, widest]
  const W* of(size_t x) const { return weights.data() + x * widest; }
};

Kernel<double> make_kernel(int64_t inputs, int64_t outputs, Filter filter) {
  const double scale = static_cast<double>(inputs) / static_cast<double>(outputs);
  const double stretch = std::max(scale, 1.0);
  const double support = support_of(filter) * stretch;
  Kernel<double> kernel;
  kernel.widest = static_cast<size_t>(std::ceil(support)) * 2 + 1;
  kernel.weights.resize(static_cast<size_t>(outputs) * kernel.widest);
  for (int64_t x = 0; x < outputs; ++x) {
    const double centre = (static_cast<double>(x) + 0.5) * scale;
    const auto first = std::max<int64_t>(static_cast<int64_t>(centre - support + 0.5), 0);
    const auto last = std::min<int64_t>(static_cast<int64_t>(centre + support + 0.5), inputs);
    double* weights = kernel.weights.data() + static_cast<size_t>(x) * kernel.widest;
    double sum = 0;
    for (int64_t i = first; i < last; ++i) {
      weights[i - first] = weight_at(filter, (static_cast<double>(i) - centre + 0.5) * (1.0 / stretch));
      sum += weights[i - first];
    }
    for (int64_t i = 0; sum != 0 && i < last - first; ++i) weights[i] /= sum;
    kernel.first.push_back(static_cast<size_t>(first));
    kernel.count.push_back(static_cast<size_t>(last - first));
  }
  return kernel;
}

// Weights in units of 2^-22, rounded away from zero at the half.
Kernel<int32_t> to_fixed(const Kernel<double>& kernel) {
  Kernel<int32_t> fixed{kernel.widest, kernel.first, kernel.count, {}};
  fixed.weights.reserve(kernel.weights.size());
  for (const double w : kernel.weights) {
    const double scaled = w * (1 << kFractionBits);
    fixed.weights.push_back(static_cast<int32_t>(w < 0 ? scaled - 0.5 : scaled + 0.5));
  }
  return fixed;
}

// How one pass sums: in 32-bit fixed point to a level, or in binary64 to a binary32.
struct FixedSum {
  using Pixel = uint8_t;
  using Weight = int32_t;
  int32_t sum = 1 << (kFractionBits - 1);
  void add(uint8_t value, int32_t weight) { sum += value * weight; }
  uint8_t result() const { return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255)); }
};
struct FloatSum {
  using Pixel = float;
  using Weight = double;
  double sum = 0;
  void add(float value, double weight) { sum += static_cast<double>(value) * weight; }
  float result() const { return static_cast<float>(sum); }
};

// One pass over [outer, inputs, inner] giving [outer, outputs, inner]: rows with inner = channels for the
// horizontal pass, and outer = 1 with inner = width * channels for the vertical one.
template <typename Sum>
void pass(std::span<const typename Sum::Pixel> source, std::span<typename Sum::Pixel> target,
          const Kernel<typename Sum::Weight>& kernel, int64_t inputs, int64_t inner) {
  const size_t outputs = kernel.first.size();
  const auto length = static_cast<size_t>(inner);
  const size_t outer = source.size() / (static_cast<size_t>(inputs) * length);
  std::vector<Sum> sums;
  for (size_t o = 0; o < outer; ++o) {
    for (size_t x = 0; x < outputs; ++x) {
      sums.assign(length, Sum());
      const auto* from = source.data() + (o * static_cast<size_t>(inputs) + kernel.first[x]) * length;
      for (size_t i = 0; i < kernel.count[x]; ++i) {
        const auto weight = kernel.of(x)[i];
        for (size_t c = 0; c < length; ++c) sums[c].add(from[i * length + c], weight);
      }
      auto* to = target.data() + (o * outputs + x) * length;
      for (size_t c = 0; c < length; ++c) to[c] = sums[c].result();
    }
  }
}

Kernel<int32_t> kernel_for(FixedSum, int64_t inputs, int64_t outputs, Filter filter) {
  return to_fixed(make_kernel(inputs, outputs, filter));
}
Kernel<double> kernel_for(FloatSum, int64_t inputs, int64_t outputs, Filter filter) {
  return make_kernel(inputs, outputs, filter);
}

// One axis of a picture brought to another length; the picture itself where that is its length already, as a
// pass that changes nothing would still round.
template <typename Sum>
BasicImage<typename Sum::Pixel> resample_rows(const BasicImage<typename Sum::Pixel>& image, int64_t width,
                                              Filter filter) {
  if (width == image.width()) return image;
  auto out = BasicImage<typename Sum::Pixel>::zeros(image.height(), width, image.channels());
  const auto kernel = kernel_for(Sum(), image.width(), width, filter);
  pass<Sum>(image.data(), out.data(), kernel, image.width(), image.channels());
  return out;
}

template <typename Sum>
BasicImage<typename Sum::Pixel> resample_columns(const BasicImage<typename Sum::Pixel>& image, int64_t height,
                                                 Filter filter) {
  if (height == image.height()) return image;
  auto out = BasicImage<typename Sum::Pixel>::zeros(height, image.width(), image.channels());
  const auto kernel = kernel_for(Sum(), image.height(), height, filter);
  pass<Sum>(image.data(), out.data(), kernel, image.height(), image.width() * image.channels());
  return out;
}

template <typename Sum>
BasicImage<typename Sum::Pixel> resample(const BasicImage<typename Sum::Pixel>& image, int64_t height,
                                         int64_t width, Filter filter) {
  // Pillow 13 begins with the columns where the height loses more than twice as many pixels as the width.
  const int64_t lost_height = image.height() - height;
  const int64_t lost_width = image.width() - width;
  if (lost_height > 0 && lost_height > 2 * lost_width) {
    return resample_rows<Sum>(resample_columns<Sum>(image, height, filter), width, filter);
  }
  return resample_columns<Sum>(resample_rows<Sum>(image, width, filter), height, filter);
}

// Where `nearest` reads: the centres, found by adding up the step as Pillow does.
std::vector<int64_t> nearest_positions(int64_t inputs, int64_t outputs) {
  const double step = static_cast<double>(inputs) / static_cast<double>(outputs);
  std::vector<int64_t> positions;
  double at = step * 0.5;
  for (int64_t x = 0; x < outputs; ++x, at += step) {
    positions.push_back(std::min(static_cast<int64_t>(at), inputs - 1));
  }
  return positions;
}

template <typename T>
BasicImage<T> resize_nearest(const BasicImage<T>& image, int64_t height, int64_t width) {
  const std::vector<int64_t> rows = nearest_positions(image.height(), height);
  const std::vector<int64_t> columns = nearest_positions(image.width(), width);
  BasicImage<T> out = BasicImage<T>::zeros(height, width, image.channels());
  for (int64_t y = 0; y < height; ++y) {
    const auto source = image.row(rows[static_cast<size_t>(y)]);
    const auto target = out.row(y);
    for (int64_t x = 0; x < width; ++x) {
      const auto from = static_cast<size_t>(columns[static_cast<size_t>(x)] * image.channels());
      const auto to = static_cast<size_t>(x * image.channels());
      for (size_t c = 0; c < static_cast<size_t>(image.channels()); ++c) target[to + c] = source[from + c];
    }
  }
  return out;
}

// a * b / 255 rounded, exact for all 8-bit values (Blinn's formula).
uint8_t multiply_levels(int a, int b) {
  const int t = a * b + 128;
  return static_cast<uint8_t>((t + (t >> 8)) >> 8);
}

Image8 premultiplied(const Image8& image) {
  Image8 out = image.clone();
  const auto data = out.data();
  for (size_t i = 0; i < data.size(); i += 4) {
    for (size_t c = 0; c < 3; ++c) data[i + c] = multiply_levels(data[i + c], data[i + 3]);
  }
  return out;
}

Image8 unpremultiplied(Image8 image) {
  const auto data = image.data();
  for (size_t i = 0; i < data.size(); i += 4) {
    const int alpha = data[i + 3];
    if (alpha == 0 || alpha == 255) continue;
    for (size_t c = 0; c < 3; ++c)
      data[i + c] = static_cast<uint8_t>(std::min(255 * data[i + c] / alpha, 255));
  }
  return image;
}

Image premultiplied(const Image& image) {
  Image out = image.clone();
  const auto data = out.data();
  for (size_t i = 0; i < data.size(); i += 4) {
    for (size_t c = 0; c < 3; ++c) data[i + c] *= data[i + 3];
  }
  return out;
}

Image unpremultiplied(Image image) {
  const auto data = image.data();
  for (size_t i = 0; i < data.size(); i += 4) {
    for (size_t c = 0; c < 3 && data[i + 3] > 0; ++c) data[i + c] /= data[i + 3];
  }
  return image;
}

template <typename Sum>
BasicImage<typename Sum::Pixel> resize_any(const BasicImage<typename Sum::Pixel>& image, int64_t height,
                                           int64_t width, Filter filter) {
  if (height < 1 || width < 1 || image.width() < 1 || image.height() < 1) {
    throw Error(ErrorCode::usage, "cannot resize a picture of {} x {} to {} x {}", image.width(),
                image.height(), width, height);
  }
  if (height == image.height() && width == image.width()) return image;
  if (filter == Filter::nearest) return resize_nearest(image, height, width);
  if (image.channels() != 4) return resample<Sum>(image, height, width, filter);
  return unpremultiplied(resample<Sum>(premultiplied(image), height, width, filter));
}

}  // namespace

Image8 resize(const Image8& image, int64_t height, int64_t width, Filter filter) {
  return resize_any<FixedSum>(image, height, width, filter);
}

Image resize(const Image& image, int64_t height, int64_t width, Filter filter) {
  return resize_any<FloatSum>(image, height, width, filter);
}

}  // namespace maquette::media
