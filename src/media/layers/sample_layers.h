// For tests: a small layered picture that has everything once: offsets beyond the canvas, opacity, modes,
// masks, a hidden original, groups, names in several scripts.
#pragma once

#include <algorithm>
#include <cmath>

#include "media/layers/layered_picture.h"

namespace maquette::media {

// Smooth colours and, unless opaque, a soft round alpha. `phase` makes pictures differ.
inline IntegerPixels sample_pixels(int64_t height, int64_t width, int bits, double phase, bool opaque) {
  Image image = Image::zeros(height, width, 4);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const double u = static_cast<double>(x) / static_cast<double>(width);
      const double v = static_cast<double>(y) / static_cast<double>(height);
      const double distance = std::hypot(u - 0.5, v - 0.5);
      image.at(y, x, 0) = static_cast<float>(0.5 + 0.5 * std::sin(6 * u + phase));
      image.at(y, x, 1) = static_cast<float>(0.5 + 0.5 * std::cos(5 * v - phase));
      image.at(y, x, 2) = static_cast<float>(u * v);
      image.at(y, x, 3) = opaque ? 1.f : static_cast<float>(std::clamp(1.4 - 2.4 * distance, 0., 1.));
    }
  }
  return rgba_pixels(image, bits);
}

inline LayerMask sample_mask(int64_t height, int64_t width, int bits) {
  IntegerPixels pixels(height, width, 1, bits);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x)
      pixels.set(y, x, 0, static_cast<uint16_t>(pixels.maximum() * (x + y) / (width + height)));
  }
  return {.pixels = pixels, .x = 12, .y = 10};
}

inline LayeredPicture sample_picture(int bits, bool with_background = true) {
  LayeredPicture picture{.width = 96, .height = 72, .bits = bits, .dpi = 300};
  if (with_background) {
    picture.layers.push_back({.name = "Background", .pixels = sample_pixels(72, 96, bits, 0, true)});
  }
  picture.layers.push_back(
      {.name = "Réverbère 灯", .x = -8, .y = 20, .pixels = sample_pixels(40, 40, bits, 1, false)});
  picture.layers.push_back({.name = "Shadows <&\">",
                            .x = 30,
                            .y = 5,
                            .pixels = sample_pixels(50, 80, bits, 2, false),
                            .opacity = 0.6,
                            .blend = BlendMode::multiply});
  picture.layers.push_back({.name = "Masked",
                            .x = 10,
                            .y = 8,
                            .pixels = sample_pixels(48, 60, bits, 3, true),
                            .mask = sample_mask(40, 50, bits)});
  picture.layers.push_back(
      {.name = "Original", .pixels = sample_pixels(72, 96, bits, 4, true), .visible = false});
  Layer group{.name = "Lights", .opacity = 0.8, .is_group = true};
  group.children.push_back({.name = "Glow",
                            .x = 40,
                            .y = 30,
                            .pixels = sample_pixels(30, 30, bits, 5, false),
                            .blend = BlendMode::screen});
  Layer inner{.name = "Inner", .is_group = true, .pass_through = true};
  inner.children.push_back(
      {.name = "Spark", .x = 50, .y = 40, .pixels = sample_pixels(9, 7, bits, 6, false)});
  group.children.push_back(inner);
  picture.layers.push_back(group);
  return picture;
}

}  // namespace maquette::media
