// The margins are what Pillow's bicubic filter gives for a source of no height at the border: the outermost
// row and the one inside of it, weighted 9/8 and -1/8.
#include "diffusion/fit.h"

#include <algorithm>
#include <cmath>

#include "media/mask_ops.h"
#include "media/resize.h"

namespace maquette::diffusion {

namespace {

uint8_t continued(uint8_t edge, uint8_t inside) {
  const float value = 1.125f * static_cast<float>(edge) - 0.125f * static_cast<float>(inside);
  return static_cast<uint8_t>(std::clamp(std::floor(value + 0.5f), 0.0f, 255.0f));
}

// Fills the rows of `canvas` outside [top, bottom) from those at its edges.
void fill_rows(media::Image8& canvas, int64_t top, int64_t bottom) {
  const int64_t inner = std::min<int64_t>(top + 1, bottom - 1);
  const int64_t inner_bottom = std::max<int64_t>(bottom - 2, top);
  for (int64_t y = 0; y < canvas.height(); ++y) {
    if (y >= top && y < bottom) continue;
    const auto edge = canvas.row(y < top ? top : bottom - 1);
    const auto inside = canvas.row(y < top ? inner : inner_bottom);
    std::ranges::transform(edge, inside, canvas.row(y).begin(), continued);
  }
}

void fill_columns(media::Image8& canvas, int64_t left, int64_t right) {
  for (int64_t y = 0; y < canvas.height(); ++y) {
    for (int64_t x = 0; x < canvas.width(); ++x) {
      if (x >= left && x < right) continue;
      const int64_t edge = x < left ? left : right - 1;
      const int64_t inside = x < left ? std::min(left + 1, right - 1) : std::max(right - 2, left);
      for (int64_t c = 0; c < canvas.channels(); ++c)
        canvas.at(y, x, c) = continued(canvas.at(y, edge, c), canvas.at(y, inside, c));
    }
  }
}

template <typename T>
media::BasicImage<T> middle_of(const media::BasicImage<T>& picture, int64_t height, int64_t width) {
  const bool wider = width * picture.height() > picture.width() * height;  // the target, than the picture
  const int64_t outer_width = wider ? width : picture.width() * height / picture.height();
  const int64_t outer_height = wider ? picture.height() * width / picture.width() : height;
  const auto outer = media::resize(picture, outer_height, outer_width, media::Filter::lanczos);
  const int64_t top = std::max<int64_t>(outer_height / 2 - height / 2, 0);
  const int64_t left = std::max<int64_t>(outer_width / 2 - width / 2, 0);
  return media::crop(outer, top, left, height, width);
}

}  // namespace

media::Image8 fitted(const media::Image8& part, int64_t height, int64_t width) {
  const bool wider = width * part.height() < part.width() * height;  // the part, than the target
  const int64_t inner_width = wider ? width : std::max<int64_t>(part.width() * height / part.height(), 1);
  const int64_t inner_height = wider ? std::max<int64_t>(part.height() * width / part.width(), 1) : height;
  const media::Image8 inner = media::resize(part, inner_height, inner_width, media::Filter::lanczos);
  if (inner_width == width && inner_height == height) return inner;
  const int64_t top = height / 2 - inner_height / 2;
  const int64_t left = width / 2 - inner_width / 2;
  media::Image8 canvas = media::paste(media::Image8::zeros(height, width, part.channels()), inner, top, left);
  if (wider) {
    fill_rows(canvas, top, top + inner_height);
  } else {
    fill_columns(canvas, left, left + inner_width);
  }
  return canvas;
}

media::Image8 unfitted(const media::Image8& picture, int64_t height, int64_t width) {
  return middle_of(picture, height, width);
}

media::Image unfitted(const media::Image& picture, int64_t height, int64_t width) {
  return middle_of(picture, height, width);
}

}  // namespace maquette::diffusion
