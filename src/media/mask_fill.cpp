// Fills a hole as a membrane stretched over it would lie: the solution of Laplace's equation with the kept
// pixels as its border. Solved by a cascade of coarser pictures (Bornemann and Deuflhard, "The cascadic
// multigrid method for elliptic problems", Numerische Mathematik 75, 1996): the coarsest has no hole left,
// and from there on each finer one starts from its coarser neighbour and is relaxed by a few Gauss-Seidel
// sweeps.
#include <algorithm>
#include <cmath>

#include "media/mask_ops.h"

namespace maquette::media {

namespace {

constexpr int kSweeps = 12;

// Colours, and which of them are known: 1, or 0 inside the hole.
struct Level {
  Image colour;
  Image known;
};

// Half the size; a pixel is known where any of its four is, and is the mean of those.
Level coarser(const Level& fine) {
  const int64_t channels = fine.colour.channels();
  const int64_t height = (fine.colour.height() + 1) / 2;
  const int64_t width = (fine.colour.width() + 1) / 2;
  Level coarse{Image::zeros(height, width, channels), Image::zeros(height, width, 1)};
  for (int64_t y = 0; y < fine.colour.height(); ++y) {
    for (int64_t x = 0; x < fine.colour.width(); ++x) {
      if (fine.known.at(y, x) == 0) continue;
      coarse.known.at(y / 2, x / 2) += 1;
      for (int64_t c = 0; c < channels; ++c) coarse.colour.at(y / 2, x / 2, c) += fine.colour.at(y, x, c);
    }
  }
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      float& count = coarse.known.at(y, x);
      if (count == 0) continue;
      for (int64_t c = 0; c < channels; ++c) coarse.colour.at(y, x, c) /= count;
      count = 1;
    }
  }
  return coarse;
}

// Bilinear sample of the coarse picture at the centre of a fine pixel.
float sample(const Image& coarse, int64_t y, int64_t x, int64_t c) {
  const auto axis = [](int64_t i, int64_t size, int64_t& low, int64_t& high) {
    const int64_t nearest = std::min(i / 2, size - 1);
    low = nearest;
    high = std::clamp<int64_t>(nearest + (i % 2 == 0 ? -1 : 1), 0, size - 1);
  };
  int64_t y0 = 0, y1 = 0, x0 = 0, x1 = 0;
  axis(y, coarse.height(), y0, y1);
  axis(x, coarse.width(), x0, x1);
  return 0.5625f * coarse.at(y0, x0, c) + 0.1875f * (coarse.at(y0, x1, c) + coarse.at(y1, x0, c)) +
         0.0625f * coarse.at(y1, x1, c);
}

// Gives the hole of `fine` the colours of `coarse` and evens them out.
void refine(const Image& coarse, Level& fine) {
  Image& colour = fine.colour;
  std::vector<std::pair<int64_t, int64_t>> hole;
  for (int64_t y = 0; y < colour.height(); ++y) {
    for (int64_t x = 0; x < colour.width(); ++x) {
      if (fine.known.at(y, x) != 0) continue;
      hole.emplace_back(y, x);
      for (int64_t c = 0; c < colour.channels(); ++c) colour.at(y, x, c) = sample(coarse, y, x, c);
    }
  }
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (const auto& [y, x] : hole) {
      // Beyond the picture's border the membrane ends freely: the pixel itself stands in for the neighbour.
      const int64_t up = std::max<int64_t>(y - 1, 0), down = std::min(y + 1, colour.height() - 1);
      const int64_t left = std::max<int64_t>(x - 1, 0), right = std::min(x + 1, colour.width() - 1);
      for (int64_t c = 0; c < colour.channels(); ++c) {
        colour.at(y, x, c) = 0.25f * (colour.at(up, x, c) + colour.at(down, x, c) + colour.at(y, left, c) +
                                      colour.at(y, right, c));
      }
    }
  }
}

}  // namespace

Image fill_from_surroundings(const Image& image, const Image& mask) {
  if (!image.same_size(mask) || mask.channels() != 1) {
    throw Error(ErrorCode::usage, "cannot fill under a mask")
        .with("found", fmt::format("{} and {}", image.pixels.shape().text(), mask.pixels.shape().text()))
        .with("expected", "the same size");
  }
  // Only pixels that are wholly kept count as known: half-masked ones would bleed what is to be replaced.
  Level first{image.clone(), Image::zeros(mask.height(), mask.width(), 1)};
  bool any_known = false;
  for (size_t i = 0; i < mask.data().size(); ++i) {
    const bool known = !(mask.data()[i] > 0);
    any_known = any_known || known;
    first.known.data()[i] = known ? 1.f : 0.f;
  }
  if (!any_known) {
    std::ranges::fill(first.colour.data(), 0.5f);
    return composite(image, first.colour, mask);
  }
  std::vector<Level> levels;
  levels.push_back(std::move(first));
  while (std::ranges::find(levels.back().known.data(), 0.f) != levels.back().known.data().end()) {
    levels.push_back(coarser(levels.back()));
  }
  for (size_t i = levels.size() - 1; i > 0; --i) refine(levels[i].colour, levels[i - 1]);
  return composite(image, levels[0].colour, mask);
}

}  // namespace maquette::media
