// Gaussian blur. On 8 bits the kernel is made of multiples of 1/256 that sum to one, the error of each
// rounded weight being carried to the next from the outside in, as OpenCV makes its kernels for 8-bit
// pictures.
#include <algorithm>
#include <cmath>

#include "media/mask_ops.h"

namespace maquette::media {

namespace {

// Half of a normalised kernel: the weights at distance radius, radius - 1, ..., 0.
std::vector<double> gaussian_half(double sigma) {
  const int radius = static_cast<int>(2.5 * sigma + 0.5);
  std::vector<double> half;
  double sum = 1;
  for (int x = radius; x > 0; --x) {
    half.push_back(std::exp(-0.5 * x * x / (sigma * sigma)));
    sum += 2 * half.back();
  }
  half.push_back(1);
  for (double& weight : half) weight /= sum;
  return half;
}

std::vector<int> fixed_half(double sigma) {
  const std::vector<double> exact = gaussian_half(sigma);
  std::vector<int> half;
  double carried = 0;
  int sum = 0;
  for (size_t i = 0; i + 1 < exact.size(); ++i) {
    const double wanted = exact[i] * 256 + carried;
    half.push_back(static_cast<int>(std::nearbyint(wanted)));
    carried = wanted - half.back();
    sum += half.back();
  }
  half.push_back(256 - 2 * sum);
  return half;
}

// Index mirrored into 0..size-1 without repeating the border, as often as needed.
int64_t mirrored(int64_t i, int64_t size) {
  if (size == 1) return 0;
  const int64_t period = 2 * (size - 1);
  i = (i % period + period) % period;
  return i < size ? i : period - i;
}

// One direction: `count` lines of `length` samples, `step` apart within a line.
template <typename T, typename W, typename Finish>
void blur_line(const T* source, T* target, int64_t length, int64_t step, const std::vector<W>& half,
               Finish finish) {
  const auto radius = static_cast<int64_t>(half.size()) - 1;
  std::vector<T> padded(static_cast<size_t>(length + 2 * radius));
  for (int64_t i = 0; i < length + 2 * radius; ++i) {
    padded[static_cast<size_t>(i)] = source[mirrored(i - radius, length) * step];
  }
  for (int64_t i = 0; i < length; ++i) {
    const T* at = padded.data() + i;
    W sum = half.back() * at[radius];
    for (int64_t k = 0; k < radius; ++k) sum += half[static_cast<size_t>(k)] * (at[k] + at[2 * radius - k]);
    target[i * step] = finish(sum);
  }
}

template <typename T, typename W, typename Finish>
BasicImage<T> blurred(const BasicImage<T>& image, const std::vector<W>& half_x, const std::vector<W>& half_y,
                      Finish finish) {
  BasicImage<T> out = image.clone();
  T* data = out.data().data();
  const int64_t channels = image.channels();
  const int64_t stride = image.width() * channels;
  if (half_x.size() > 1) {
    for (int64_t i = 0; i < image.height() * channels; ++i) {
      T* line = data + i / channels * stride + i % channels;
      blur_line(line, line, image.width(), channels, half_x, finish);
    }
  }
  if (half_y.size() > 1) {
    for (int64_t i = 0; i < stride; ++i)
      blur_line(data + i, data + i, image.height(), stride, half_y, finish);
  }
  return out;
}

}  // namespace

Image8 gaussian_blur(const Image8& image, double sigma_x, double sigma_y) {
  const auto finish = [](int sum) { return static_cast<uint8_t>((sum + 128) >> 8); };
  return blurred(image, fixed_half(sigma_x), fixed_half(sigma_y), finish);
}

Image gaussian_blur(const Image& image, double sigma_x, double sigma_y) {
  const auto narrow = [](const std::vector<double>& half) {
    return std::vector<float>(half.begin(), half.end());
  };
  return blurred(image, narrow(gaussian_half(sigma_x)), narrow(gaussian_half(sigma_y)),
                 [](float sum) { return sum; });
}

}  // namespace maquette::media
