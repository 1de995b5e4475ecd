#include "media/layers/integer_pixels.h"

#include <algorithm>
#include <cmath>

namespace maquette::media {

IntegerPixels::IntegerPixels(int64_t height, int64_t width, int channels, int bits)
    : height_(height), width_(width), channels_(channels), bits_(bits) {
  const bool fits = height > 0 && width > 0 && (channels == 1 || channels == 4) && (bits == 8 || bits == 16);
  if (!fits) {
    throw Error(ErrorCode::usage, "no such pixels")
        .with("found", fmt::format("{} x {}, {} channels, {} bits", width, height, channels, bits))
        .with("expected", "at least one pixel, 1 or 4 channels, 8 or 16 bits");
  }
  bytes_.resize(static_cast<size_t>(height * width * channels * (bits / 8)));
}

uint16_t IntegerPixels::at(int64_t y, int64_t x, int c) const {
  const size_t i = index(y, x, c);
  return bits_ == 16 ? values<uint16_t>()[i] : values<uint8_t>()[i];
}

void IntegerPixels::set(int64_t y, int64_t x, int c, uint16_t value) {
  const size_t i = index(y, x, c);
  if (bits_ == 16) {
    values<uint16_t>()[i] = value;
  } else {
    values<uint8_t>()[i] = static_cast<uint8_t>(value);
  }
}

namespace {

template <typename T>
void to_unit(std::span<const T> levels, std::span<float> values, float maximum) {
  std::ranges::transform(levels, values.begin(), [=](T v) { return static_cast<float>(v) / maximum; });
}

template <typename T>
void to_levels(std::span<const float> values, std::span<T> levels, float maximum) {
  std::ranges::transform(values, levels.begin(), [=](float v) {
    return static_cast<T>(std::nearbyint(std::clamp(v, 0.f, 1.f) * maximum));
  });
}

}  // namespace

void IntegerPixels::read_row(int64_t y, int64_t x, std::span<float> out) const {
  if (bits_ == 16) {
    to_unit(values<uint16_t>().subspan(index(y, x, 0), out.size()), out, 65535.f);
  } else {
    to_unit(values<uint8_t>().subspan(index(y, x, 0), out.size()), out, 255.f);
  }
}

void IntegerPixels::write_row(int64_t y, std::span<const float> row) {
  if (bits_ == 16) {
    to_levels(row, values<uint16_t>().subspan(index(y, 0, 0), row.size()), 65535.f);
  } else {
    to_levels(row, values<uint8_t>().subspan(index(y, 0, 0), row.size()), 255.f);
  }
}

IntegerPixels rgba_pixels(const Image& image, int bits) {
  IntegerPixels pixels(image.height(), image.width(), 4, bits);
  const auto channels = static_cast<size_t>(image.channels());
  const auto width = static_cast<size_t>(image.width());
  std::vector<float> row(width * 4);
  for (int64_t y = 0; y < image.height(); ++y) {
    const auto source = image.row(y);
    for (size_t x = 0; x < width; ++x) {
      for (size_t c = 0; c < 3; ++c) row[x * 4 + c] = source[x * channels + (channels == 1 ? 0 : c)];
      row[x * 4 + 3] = channels == 4 ? source[x * 4 + 3] : 1.f;
    }
    pixels.write_row(y, row);
  }
  return pixels;
}

IntegerPixels rgba_pixels(const Image8& image) { return rgba_pixels(to_float(image), 8); }

IntegerPixels mask_pixels(const Image& image, int bits) {
  const Image grey = to_grey(image);
  IntegerPixels pixels(grey.height(), grey.width(), 1, bits);
  for (int64_t y = 0; y < grey.height(); ++y) pixels.write_row(y, grey.row(y));
  return pixels;
}

Image to_image(const IntegerPixels& pixels) {
  Image image = Image::zeros(pixels.height(), pixels.width(), pixels.channels());
  for (int64_t y = 0; y < pixels.height(); ++y) pixels.read_row(y, 0, image.row(y));
  return image;
}

IntegerPixels with_bits(const IntegerPixels& pixels, int bits) {
  if (pixels.bits() == bits) return pixels;
  IntegerPixels out(pixels.height(), pixels.width(), pixels.channels(), bits);
  std::vector<float> row(static_cast<size_t>(pixels.width() * pixels.channels()));
  for (int64_t y = 0; y < pixels.height(); ++y) {
    pixels.read_row(y, 0, row);
    out.write_row(y, row);
  }
  return out;
}

bool is_opaque(const IntegerPixels& rgba) {
  for (int64_t y = 0; y < rgba.height(); ++y) {
    for (int64_t x = 0; x < rgba.width(); ++x) {
      if (rgba.at(y, x, 3) != rgba.maximum()) return false;
    }
  }
  return true;
}

}  // namespace maquette::media
