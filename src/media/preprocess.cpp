// Line art after Winnemoeller, Kyprianidis and Olsen, "XDoG: An eXtended difference-of-Gaussians compendium",
// Computers and Graphics 36 (2012): the difference of two Gaussian blurs, cut by a soft threshold (tanh).
// Here the difference is scaled by its own 98th percentile first, so that one threshold serves pale and
// contrasty pictures, and only its dark side is kept: where a pixel is darker than its surroundings, a pen
// would have passed.
//
// Scribbles are Canny edges of a blurred picture, thresholds taken from the picture's own gradients, without
// the short pieces, thickened to a felt pen.
#include "media/preprocess.h"

#include <algorithm>
#include <cmath>

#include "media/canny.h"
#include "media/mask_ops.h"

namespace maquette::media {

namespace {

constexpr double kBlurRatio = 1.6;           // the difference then resembles a Laplacian (Marr and Hildreth)
constexpr float kLeastContrast = 3 / 255.f;  // a difference below is noise, whatever the percentile says

// The value that `share` of all values do not exceed.
template <typename T>
T percentile(std::vector<T> values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + at);
  return values[static_cast<size_t>(at)];
}

// Removes connected pieces (eight neighbours) of fewer than `least` pixels.
void remove_short(Image8& edges, int least) {
  std::vector<uint8_t> seen(edges.data().size(), 0);
  std::vector<size_t> piece;
  const auto data = edges.data();
  const auto width = static_cast<size_t>(edges.width());
  const auto height = static_cast<size_t>(edges.height());
  for (size_t start = 0; start < data.size(); ++start) {
    if (data[start] == 0 || seen[start]) continue;
    piece.assign(1, start);
    seen[start] = 1;
    for (size_t i = 0; i < piece.size(); ++i) {
      const size_t y = piece[i] / width, x = piece[i] % width;
      for (size_t j = y > 0 ? y - 1 : 0; j <= std::min(y + 1, height - 1); ++j) {
        for (size_t k = x > 0 ? x - 1 : 0; k <= std::min(x + 1, width - 1); ++k) {
          const size_t at = j * width + k;
          if (data[at] == 0 || seen[at]) continue;
          seen[at] = 1;
          piece.push_back(at);
        }
      }
    }
    if (piece.size() >= static_cast<size_t>(least)) continue;
    for (const size_t at : piece) data[at] = 0;
  }
}

}  // namespace

Image8 line_art(const Image8& image, const LineArtOptions& options) {
  if (!(options.detail > 0)) throw Error(ErrorCode::usage, "cannot draw lines of width {}", options.detail);
  const Image grey = to_float(to_grey(image));
  const Image fine = gaussian_blur(grey, options.detail, options.detail);
  const Image coarse = gaussian_blur(grey, options.detail * kBlurRatio, options.detail * kBlurRatio);
  std::vector<float> darker(grey.data().size());
  std::ranges::transform(coarse.data(), fine.data(), darker.begin(),
                         [](float c, float f) { return std::max(c - f, 0.f); });

  const float scale = std::max(percentile(darker, 0.98), kLeastContrast);
  Image lines = Image::zeros(image.height(), image.width(), 1);
  std::ranges::transform(darker, lines.data().begin(), [&](float d) {
    const double above = std::min(d / scale, 1.f) - options.threshold;
    return static_cast<float>(0.5 + 0.5 * std::tanh(options.softness * above));
  });
  return to_8bit(lines);
}

Image8 scribble(const Image8& image, const ScribbleOptions& options) {
  if (options.thickness < 1)
    throw Error(ErrorCode::usage, "cannot draw strokes {} pixels thick", options.thickness);
  const Image8 smooth = gaussian_blur(to_grey(image), options.detail, options.detail);
  const Gradients gradients = sobel(smooth);
  const int high = std::max(percentile(gradients.magnitude, 0.92), 24);
  Image8 edges = trace_edges(gradients, high / 3, high);
  remove_short(edges, options.shortest);
  return to_8bit(dilate(to_float(edges), options.thickness / 2));
}

Image8 invert_colours(const Image8& image) {
  Image8 out = image.clone();
  const auto data = out.data();
  const bool alpha = image.channels() == 4;
  for (size_t i = 0; i < data.size(); ++i) {
    if (!alpha || i % 4 != 3) data[i] = static_cast<uint8_t>(255 - data[i]);
  }
  return out;
}

}  // namespace maquette::media
