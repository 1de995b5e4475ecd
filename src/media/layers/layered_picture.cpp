// Compositing follows "Compositing and Blending Level 1" (W3C), section 5:
//   ao = as + ab - as ab
//   co = cs as (1 - ab) + cb ab (1 - as) + as ab B(cb, cs)      co and cb ab premultiplied
// over bands of rows, so that a canvas of any size needs little memory beside its layers.
#include "media/layers/layered_picture.h"

#include <algorithm>

#include "media/unicode.h"

namespace maquette::media {

namespace {

constexpr int64_t kMaxSide = 300'000;
constexpr size_t kMaxLayers = 8'000;
constexpr int kMaxDepth = 20;
constexpr int64_t kBandRows = 64;

Error bad_layer(const Layer& layer, std::string_view found) {
  return Error(ErrorCode::usage, "cannot use the layered picture")
      .with("layer", is_utf8(layer.name) ? layer.name : "?")
      .with("found", found);
}

void check_layer(const Layer& layer, int depth) {
  if (!is_utf8(layer.name) || layer.name.find('\0') != std::string::npos)
    throw bad_layer(layer, "a name that is not UTF-8");
  if (depth > kMaxDepth) throw bad_layer(layer, fmt::format("more than {} levels of groups", kMaxDepth));
  if (!(layer.opacity >= 0 && layer.opacity <= 1))
    throw bad_layer(layer, fmt::format("opacity {}", layer.opacity));
  if (std::max(std::abs(layer.x), std::abs(layer.y)) > kMaxSide) throw bad_layer(layer, "an offset far away");
  if (layer.is_group && !layer.pixels.empty()) throw bad_layer(layer, "a group with pixels of its own");
  if (!layer.is_group && !layer.children.empty())
    throw bad_layer(layer, "children in a layer that is no group");
  if (!layer.is_group && (layer.pixels.empty() || layer.pixels.channels() != 4))
    throw bad_layer(layer, "no RGBA pixels");
  if (layer.mask && (layer.mask->pixels.empty() || layer.mask->pixels.channels() != 1))
    throw bad_layer(layer, "a mask without one channel of pixels");
  for (const Layer& child : layer.children) check_layer(child, depth + 1);
}

// Rows top to top + rows of the canvas: premultiplied RGBA.
struct Band {
  int64_t top = 0;
  int64_t rows = 0;
  int64_t width = 0;
  std::vector<float> pixels = {};

  static Band clear(int64_t top, int64_t rows, int64_t width) {
    return {top, rows, width, std::vector<float>(static_cast<size_t>(rows * width * 4))};
  }
  float* at(int64_t y, int64_t x) { return pixels.data() + ((y - top) * width + x) * 4; }
};

// Lays one straight source colour over a premultiplied backdrop.
void lay_over(float* backdrop, const float* source, float alpha, BlendMode mode) {
  if (alpha <= 0) return;
  const float below = backdrop[3];
  for (int c = 0; c < 3; ++c) {
    if (mode == BlendMode::normal) {
      backdrop[c] = source[c] * alpha + backdrop[c] * (1 - alpha);
    } else {
      const float colour = below > 0 ? std::min(1.f, backdrop[c] / below) : 0.f;
      backdrop[c] = source[c] * alpha * (1 - below) + backdrop[c] * (1 - alpha) +
                    alpha * below * blend(mode, colour, source[c]);
    }
  }
  backdrop[3] = alpha + below - alpha * below;
}

float shown(const Layer& layer, int64_t y, int64_t x) {
  const auto opacity = static_cast<float>(layer.opacity);
  return layer.mask ? opacity * mask_at(*layer.mask, y, x) : opacity;
}

void lay_pixels(Band& band, const Layer& layer) {
  const int64_t left = std::max<int64_t>(0, layer.x);
  const int64_t right = std::min(band.width, layer.x + layer.pixels.width());
  const int64_t top = std::max(band.top, layer.y);
  const int64_t bottom = std::min(band.top + band.rows, layer.y + layer.pixels.height());
  if (left >= right) return;
  std::vector<float> row(static_cast<size_t>((right - left) * 4));
  for (int64_t y = top; y < bottom; ++y) {
    layer.pixels.read_row(y - layer.y, left - layer.x, row);
    for (int64_t x = left; x < right; ++x) {
      const float* source = row.data() + (x - left) * 4;
      lay_over(band.at(y, x), source, source[3] * shown(layer, y, x), layer.blend);
    }
  }
}

void lay_layers(Band& band, const std::vector<Layer>& layers);

void lay_group(Band& band, const Layer& group) {
  if (passes_through(group)) return lay_layers(band, group.children);
  Band inner = Band::clear(band.top, band.rows, band.width);
  lay_layers(inner, group.children);
  for (int64_t y = band.top; y < band.top + band.rows; ++y) {
    for (int64_t x = 0; x < band.width; ++x) {
      float* source = inner.at(y, x);
      if (source[3] <= 0) continue;
      for (int c = 0; c < 3; ++c) source[c] /= source[3];
      lay_over(band.at(y, x), source, source[3] * shown(group, y, x), group.blend);
    }
  }
}

void lay_layers(Band& band, const std::vector<Layer>& layers) {
  for (const Layer& layer : layers) {
    if (!layer.visible || layer.opacity == 0) continue;
    if (layer.is_group) {
      lay_group(band, layer);
    } else {
      lay_pixels(band, layer);
    }
  }
}

}  // namespace

void check_layers(const LayeredPicture& picture) {
  const bool sized = picture.width >= 1 && picture.height >= 1 && picture.width <= kMaxSide &&
                     picture.height <= kMaxSide && (picture.bits == 8 || picture.bits == 16) &&
                     picture.dpi > 0 && picture.dpi < 30'000;
  if (!sized) {
    throw Error(ErrorCode::usage, "cannot use the layered picture")
        .with("found", fmt::format("{} x {} pixels, {} bits, {} dpi", picture.width, picture.height,
                                   picture.bits, picture.dpi))
        .with("expected", fmt::format("1 to {} pixels a side, 8 or 16 bits", kMaxSide));
  }
  for (const Layer& layer : picture.layers) check_layer(layer, 1);
  if (const size_t count = count_layers(picture.layers); count > kMaxLayers) {
    throw Error(ErrorCode::usage, "cannot use the layered picture")
        .with("found", fmt::format("{} layers", count))
        .with("expected", fmt::format("at most {}", kMaxLayers));
  }
}

bool passes_through(const Layer& group) {
  return group.pass_through && group.blend == BlendMode::normal && group.opacity == 1 && !group.mask;
}

size_t count_layers(const std::vector<Layer>& layers) {
  size_t count = layers.size();
  for (const Layer& layer : layers) count += count_layers(layer.children);
  return count;
}

IntegerPixels composite(const LayeredPicture& picture) {
  check_layers(picture);
  IntegerPixels merged(picture.height, picture.width, 4, picture.bits);
  for (int64_t top = 0; top < picture.height; top += kBandRows) {
    Band band = Band::clear(top, std::min(kBandRows, picture.height - top), picture.width);
    lay_layers(band, picture.layers);
    for (size_t i = 0; i < band.pixels.size(); i += 4) {
      const float alpha = band.pixels[i + 3];
      if (alpha <= 0 || alpha == 1) continue;
      for (size_t c = 0; c < 3; ++c) band.pixels[i + c] /= alpha;
    }
    const auto row = static_cast<size_t>(picture.width * 4);
    for (int64_t y = 0; y < band.rows; ++y)
      merged.write_row(top + y, std::span(band.pixels).subspan(static_cast<size_t>(y) * row, row));
  }
  return merged;
}

float mask_at(const LayerMask& mask, int64_t y, int64_t x) {
  const int64_t row = y - mask.y;
  const int64_t column = x - mask.x;
  if (row < 0 || column < 0 || row >= mask.pixels.height() || column >= mask.pixels.width())
    return mask.shows_outside ? 1.f : 0.f;
  return static_cast<float>(mask.pixels.at(row, column)) / static_cast<float>(mask.pixels.maximum());
}

IntegerPixels masked_pixels(const Layer& layer) {
  if (!layer.mask) return layer.pixels;
  IntegerPixels out = layer.pixels;
  std::vector<float> row(static_cast<size_t>(out.width() * 4));
  for (int64_t y = 0; y < out.height(); ++y) {
    out.read_row(y, 0, row);
    for (int64_t x = 0; x < out.width(); ++x)
      row[static_cast<size_t>(x * 4 + 3)] *= mask_at(*layer.mask, layer.y + y, layer.x + x);
    out.write_row(y, row);
  }
  return out;
}

}  // namespace maquette::media
