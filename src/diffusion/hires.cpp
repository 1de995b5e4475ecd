#include "diffusion/hires.h"

#include <algorithm>

#include "media/resize.h"

namespace maquette::diffusion {

namespace {

// Lanczos, reaching across the edges that a texture joins: three periods are resized and the middle one kept.
media::Image8 enlarged_texture(const media::Image8& picture, int64_t height, int64_t width, bool x, bool y) {
  if (!x && !y) return media::resize(picture, height, width, media::Filter::lanczos);
  const int64_t rows = y ? 3 : 1;
  const int64_t columns = x ? 3 : 1;
  media::Image8 periods =
      media::Image8::zeros(picture.height() * rows, picture.width() * columns, picture.channels());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c)
      periods = media::paste(periods, picture, r * picture.height(), c * picture.width());
  }
  const media::Image8 large = media::resize(periods, height * rows, width * columns, media::Filter::lanczos);
  return media::crop(large, y ? height : 0, x ? width : 0, height, width);
}

}  // namespace

PictureInput enlarged(const PictureInput& first, const Tensor& pixels, const Recipe& recipe, int factor) {
  const auto larger = [&](int64_t side) {
    const auto wanted = static_cast<int64_t>(static_cast<double>(side) * recipe.hires.scale + 0.5);
    return std::max<int64_t>(wanted / factor * factor, factor);
  };
  PictureInput second;
  second.height = larger(first.height);
  second.width = larger(first.width);
  second.init = media::to_float(enlarged_texture(media::image8_from_signed_tensor(pixels), second.height,
                                                 second.width, recipe.tile_x, recipe.tile_y));
  return second;
}

}  // namespace maquette::diffusion
