// Pictures in memory, and their way into and out of the networks.
//
// A picture is a tensor [H, W, C] with C = 1 (grey), 3 (RGB) or 4 (RGB and straight alpha). Values are
// sRGB-encoded unless a function says otherwise. Two forms:
//   Image    f32, 0 to 1   what files are read to and written from; 8 and 16 bits pass through it unchanged
//   Image8   u8            where a result must agree to the last level with 8-bit tools (resampling, masks,
//   metrics)
// A mask is an Image of one channel, 1 where the picture is to be painted anew and 0 where it is kept.
//
// Copying an image shares its pixels, as copying a tensor does: `clone()` before writing into one that came
// in.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace maquette::media {

template <typename T>
struct BasicImage {
  Tensor pixels;  // [H, W, C]

  BasicImage() = default;
  explicit BasicImage(
      Tensor hwc);  // throws Error unless the shape is [H, W, 1|3|4] and the element type fits
  static BasicImage zeros(int64_t height, int64_t width, int64_t channels);

  int64_t height() const { return pixels.defined() ? pixels.size(0) : 0; }
  int64_t width() const { return pixels.defined() ? pixels.size(1) : 0; }
  int64_t channels() const { return pixels.defined() ? pixels.size(2) : 0; }
  bool same_size(const auto& other) const { return height() == other.height() && width() == other.width(); }

  std::span<T> data() { return pixels.template data<T>(); }
  std::span<const T> data() const { return pixels.template data<T>(); }
  // One row: width * channels values.
  std::span<T> row(int64_t y) { return data().subspan(row_start(y), row_length()); }
  std::span<const T> row(int64_t y) const { return data().subspan(row_start(y), row_length()); }
  T& at(int64_t y, int64_t x, int64_t c = 0) { return row(y)[static_cast<size_t>(x * channels() + c)]; }
  T at(int64_t y, int64_t x, int64_t c = 0) const { return row(y)[static_cast<size_t>(x * channels() + c)]; }

  BasicImage clone() const { return BasicImage(pixels.clone()); }

 private:
  size_t row_length() const { return static_cast<size_t>(width() * channels()); }
  size_t row_start(int64_t y) const { return static_cast<size_t>(y) * row_length(); }
};

using Image = BasicImage<float>;
using Image8 = BasicImage<uint8_t>;

// Quantises as diffusers' image processor does: clamp to 0..1, times 255, half to even. NaN becomes 0.
Image8 to_8bit(const Image& image);
// u / 255 in binary32, as numpy computes it; to_8bit(to_float(x)) == x.
Image to_float(const Image8& image);

// Channels: grey to RGB repeats the value; RGB to grey is Pillow's luma (19595 R + 38470 G + 7471 B) / 65536,
// on Image8 with its rounding; alpha is dropped, never blended (see flatten).
Image to_rgb(const Image& image);
Image8 to_rgb(const Image8& image);
Image to_grey(const Image& image);
Image8 to_grey(const Image8& image);
// Blends a picture with alpha over one colour, in encoded values as painting programs do; returns RGB.
Image flatten(const Image& image, float red, float green, float blue);

// Part of a picture; throws Error where the rectangle leaves it.
Image crop(const Image& image, int64_t top, int64_t left, int64_t height, int64_t width);
Image8 crop(const Image8& image, int64_t top, int64_t left, int64_t height, int64_t width);

// Network borders. [1, 3, H, W] in [-1, 1] (VAE input: 2 v - 1), or [1, C, H, W] in [0, 1] (control hints,
// masks).
Tensor to_signed_tensor(const Image& image);
Tensor to_unit_tensor(const Image& image);
// Picture `index` of a batch [N, C, H, W], C = 1 or 3. The 8-bit form equals diffusers' postprocessing to the
// last level: x / 2 + 0.5 in binary32, clamped, times 255, half to even. The float form is for 16-bit and EXR
// output.
Image8 image8_from_signed_tensor(const Tensor& nchw, int64_t index = 0);
Image image_from_signed_tensor(const Tensor& nchw, int64_t index = 0);
Image image_from_unit_tensor(const Tensor& nchw, int64_t index = 0);

}  // namespace maquette::media
