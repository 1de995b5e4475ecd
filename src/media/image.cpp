// Conversions between picture forms. The quantisation rules are those of diffusers' VaeImageProcessor
// (denormalize, pt_to_numpy, numpy_to_pil), the grey weights those of Pillow's convert("L"), which are ITU-R
// BT.601 in 16-bit fixed point.
#include "media/image.h"

#include <algorithm>
#include <cmath>

namespace maquette::media {

namespace {

uint8_t level(float value) {
  // The comparison is written so that NaN, for which it is false, lands on 0.
  const float clamped = value > 0.f ? std::min(value, 1.f) : 0.f;
  return static_cast<uint8_t>(std::nearbyint(clamped * 255.f));
}

// Copies `wanted` channels out of `image`, where pick(pixel, c) reads channel c of one pixel.
template <typename T, typename Pick>
BasicImage<T> map_pixels(const BasicImage<T>& image, int64_t wanted, Pick pick) {
  BasicImage<T> out = BasicImage<T>::zeros(image.height(), image.width(), wanted);
  const auto source = image.data();
  const auto target = out.data();
  const auto channels = static_cast<size_t>(image.channels());
  const auto count = static_cast<size_t>(image.height() * image.width());
  for (size_t i = 0; i < count; ++i) {
    const auto pixel = source.subspan(i * channels, channels);
    for (size_t c = 0; c < static_cast<size_t>(wanted); ++c)
      target[i * static_cast<size_t>(wanted) + c] = pick(pixel, c);
  }
  return out;
}

template <typename T>
BasicImage<T> rgb_of(const BasicImage<T>& image) {
  if (image.channels() == 3) return image;
  const bool grey = image.channels() == 1;
  return map_pixels(image, 3, [grey](std::span<const T> p, size_t c) { return grey ? p[0] : p[c]; });
}

template <typename T>
BasicImage<T> cropped(const BasicImage<T>& image, int64_t top, int64_t left, int64_t height, int64_t width) {
  if (top < 0 || left < 0 || height < 1 || width < 1 || top > image.height() - height ||
      left > image.width() - width) {
    throw Error(ErrorCode::failed, "cannot crop {}x{} at ({}, {}) out of a picture of {}x{}", width, height,
                left, top, image.width(), image.height());
  }
  BasicImage<T> out = BasicImage<T>::zeros(height, width, image.channels());
  const auto first = static_cast<size_t>(left * image.channels());
  const auto length = static_cast<size_t>(width * image.channels());
  for (int64_t y = 0; y < height; ++y)
    std::ranges::copy(image.row(top + y).subspan(first, length), out.row(y).begin());
  return out;
}

void check_batch(const Tensor& nchw, int64_t index) {
  const bool fits =
      nchw.rank() == 4 && (nchw.size(1) == 1 || nchw.size(1) == 3) && index >= 0 && index < nchw.size(0);
  if (!fits) {
    throw Error(ErrorCode::failed, "cannot take picture {} out of a tensor", index)
        .with("found", nchw.shape().text())
        .with("expected", "[N, 1 or 3, H, W]");
  }
}

// Writes picture `index` of [N, C, H, W] as [H, W, C], each value passed through `convert`.
template <typename T, typename Convert>
BasicImage<T> from_planes(const Tensor& nchw, int64_t index, Convert convert) {
  check_batch(nchw, index);
  const int64_t channels = nchw.size(1);
  BasicImage<T> out = BasicImage<T>::zeros(nchw.size(2), nchw.size(3), channels);
  const auto plane = static_cast<size_t>(nchw.size(2) * nchw.size(3));
  const auto source = nchw.data().subspan(static_cast<size_t>(index * channels) * plane);
  const auto target = out.data();
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    for (size_t i = 0; i < plane; ++i)
      target[i * static_cast<size_t>(channels) + c] = convert(source[c * plane + i]);
  }
  return out;
}

template <typename Convert>
Tensor to_planes(const Image& image, Convert convert) {
  const int64_t channels = image.channels();
  Tensor out = Tensor::empty({1, channels, image.height(), image.width()});
  const auto plane = static_cast<size_t>(image.height() * image.width());
  const auto source = image.data();
  const auto target = out.data();
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    for (size_t i = 0; i < plane; ++i)
      target[c * plane + i] = convert(source[i * static_cast<size_t>(channels) + c]);
  }
  return out;
}

}  // namespace

template <typename T>
BasicImage<T>::BasicImage(Tensor hwc) : pixels(std::move(hwc)) {
  const bool shaped =
      pixels.rank() == 3 && (pixels.size(2) == 1 || pixels.size(2) == 3 || pixels.size(2) == 4);
  if (!shaped || pixels.dtype() != DTypeOf<T>::value) {
    throw Error(ErrorCode::failed, "cannot use a tensor as a picture")
        .with("found", fmt::format("{} of {}", pixels.shape().text(), name(pixels.dtype())))
        .with("expected", fmt::format("[H, W, 1, 3 or 4] of {}", name(DTypeOf<T>::value)));
  }
}

template <typename T>
BasicImage<T> BasicImage<T>::zeros(int64_t height, int64_t width, int64_t channels) {
  return BasicImage(Tensor::zeros({height, width, channels}, DTypeOf<T>::value));
}

template struct BasicImage<float>;
template struct BasicImage<uint8_t>;

Image8 to_8bit(const Image& image) {
  Image8 out = Image8::zeros(image.height(), image.width(), image.channels());
  std::ranges::transform(image.data(), out.data().begin(), level);
  return out;
}

Image to_float(const Image8& image) {
  Image out = Image::zeros(image.height(), image.width(), image.channels());
  std::ranges::transform(image.data(), out.data().begin(),
                         [](uint8_t v) { return static_cast<float>(v) / 255.f; });
  return out;
}

Image to_rgb(const Image& image) { return rgb_of(image); }
Image8 to_rgb(const Image8& image) { return rgb_of(image); }

Image to_grey(const Image& image) {
  if (image.channels() == 1) return image;
  return map_pixels(image, 1, [](std::span<const float> p, size_t) {
    return (19595.f * p[0] + 38470.f * p[1] + 7471.f * p[2]) / 65536.f;
  });
}

Image8 to_grey(const Image8& image) {
  if (image.channels() == 1) return image;
  return map_pixels(image, 1, [](std::span<const uint8_t> p, size_t) {
    return static_cast<uint8_t>((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 32768u) >> 16);
  });
}

Image flatten(const Image& image, float red, float green, float blue) {
  if (image.channels() != 4) return to_rgb(image);
  const float over[3] = {red, green, blue};
  return map_pixels(
      image, 3, [&over](std::span<const float> p, size_t c) { return p[c] * p[3] + over[c] * (1 - p[3]); });
}

Image crop(const Image& image, int64_t top, int64_t left, int64_t height, int64_t width) {
  return cropped(image, top, left, height, width);
}
Image8 crop(const Image8& image, int64_t top, int64_t left, int64_t height, int64_t width) {
  return cropped(image, top, left, height, width);
}

Tensor to_signed_tensor(const Image& image) {
  return to_planes(to_rgb(image), [](float v) { return 2.f * v - 1.f; });
}

Tensor to_unit_tensor(const Image& image) {
  return to_planes(image, [](float v) { return v; });
}

Image8 image8_from_signed_tensor(const Tensor& nchw, int64_t index) {
  return from_planes<uint8_t>(nchw, index, [](float v) { return level(v * 0.5f + 0.5f); });
}

Image image_from_signed_tensor(const Tensor& nchw, int64_t index) {
  return from_planes<float>(nchw, index, [](float v) { return std::clamp(v * 0.5f + 0.5f, 0.f, 1.f); });
}

Image image_from_unit_tensor(const Tensor& nchw, int64_t index) {
  return from_planes<float>(nchw, index, [](float v) { return v; });
}

}  // namespace maquette::media
