// Pixels as layered files hold them: whole numbers of 8 or 16 bits, which come back from a file as they went
// in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "media/image.h"

namespace maquette::media {

// Rows of interleaved values from 0 to `maximum()`, in the byte order of the machine. Colours are
// sRGB-encoded and alpha is straight. Four channels are RGBA, one is a mask.
class IntegerPixels {
 public:
  IntegerPixels() = default;
  // All zero. Throws Error(usage) unless there are 1 or 4 channels of 8 or 16 bits and at least one pixel.
  IntegerPixels(int64_t height, int64_t width, int channels, int bits);

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int channels() const { return channels_; }
  int bits() const { return bits_; }
  uint16_t maximum() const { return bits_ == 16 ? 65535 : 255; }
  bool empty() const { return bytes_.empty(); }
  std::span<const std::byte> bytes() const { return bytes_; }

  uint16_t at(int64_t y, int64_t x, int c = 0) const;
  void set(int64_t y, int64_t x, int c, uint16_t value);
  // `values` from column x on, each divided by the maximum.
  void read_row(int64_t y, int64_t x, std::span<float> values) const;
  // Row y, from values of 0 to 1: clamped, rounded half to even.
  void write_row(int64_t y, std::span<const float> values);

  bool operator==(const IntegerPixels&) const = default;

 private:
  size_t index(int64_t y, int64_t x, int c) const {
    return static_cast<size_t>((y * width_ + x) * channels_ + c);
  }
  template <typename T>
  std::span<T> values() {
    return {reinterpret_cast<T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }
  template <typename T>
  std::span<const T> values() const {
    return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }

  int64_t height_ = 0;
  int64_t width_ = 0;
  int channels_ = 4;
  int bits_ = 8;
  std::vector<std::byte> bytes_;
};

// RGBA of a picture: grey is repeated, a picture without alpha is opaque.
IntegerPixels rgba_pixels(const Image& image, int bits = 8);
IntegerPixels rgba_pixels(const Image8& image);
// One channel of a picture's grey values.
IntegerPixels mask_pixels(const Image& image, int bits = 8);
// [H, W, 4] or [H, W, 1]; writing it with as many bits gives the same numbers.
Image to_image(const IntegerPixels& pixels);
// 8 to 16 bits is exact (times 257), 16 to 8 rounds.
IntegerPixels with_bits(const IntegerPixels& pixels, int bits);
bool is_opaque(const IntegerPixels& rgba);

}  // namespace maquette::media
