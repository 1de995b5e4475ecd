// Canny, "A Computational Approach to Edge Detection", PAMI 8 (1986), with the choices of OpenCV: integer
// Sobel derivatives, L1 norm, four directions told apart in 15-bit fixed point, hysteresis over eight
// neighbours.
#include "media/canny.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "media/preprocess.h"

namespace maquette::media {

namespace {

constexpr int64_t kTangent22 = 13573;  // tan(22.5 degrees) * 2^15

enum class Mark : uint8_t { none, weak, strong };

// Derivatives of one channel at one pixel.
struct Derivative {
  int dx = 0;
  int dy = 0;
  int magnitude() const { return std::abs(dx) + std::abs(dy); }
};

Derivative sobel_at(const Image8& image, int64_t y, int64_t x, int64_t c) {
  const int64_t up = std::max<int64_t>(y - 1, 0), down = std::min(y + 1, image.height() - 1);
  const int64_t left = std::max<int64_t>(x - 1, 0), right = std::min(x + 1, image.width() - 1);
  const auto at = [&](int64_t j, int64_t i) { return int{image.at(j, i, c)}; };
  const int dx =
      at(up, right) - at(up, left) + 2 * (at(y, right) - at(y, left)) + at(down, right) - at(down, left);
  const int dy =
      at(down, left) - at(up, left) + 2 * (at(down, x) - at(up, x)) + at(down, right) - at(up, right);
  return {dx, dy};
}

// Is the pixel a ridge across the direction of its gradient? Ties go to the left and upper neighbour.
bool is_ridge(const Gradients& g, int64_t y, int64_t x) {
  const auto magnitude = [&](int64_t j, int64_t i) {
    const bool inside = j >= 0 && i >= 0 && j < g.height && i < g.width;
    return inside ? g.magnitude[static_cast<size_t>(j * g.width + i)] : 0;
  };
  const auto at = static_cast<size_t>(y * g.width + x);
  const int m = g.magnitude[at];
  const int64_t across = std::abs(g.dx[at]);
  const int64_t along = int64_t{std::abs(g.dy[at])} << 15;
  const int64_t below_22 = across * kTangent22;
  const int64_t above_67 = below_22 + (across << 16);  // tan 67.5 = 2 + tan 22.5
  if (along < below_22) return m > magnitude(y, x - 1) && m >= magnitude(y, x + 1);
  if (along > above_67) return m > magnitude(y - 1, x) && m >= magnitude(y + 1, x);
  const int64_t side = (g.dx[at] < 0) != (g.dy[at] < 0) ? -1 : 1;
  return m > magnitude(y - 1, x - side) && m > magnitude(y + 1, x + side);
}

// Turns weak pixels strong where a chain of weak neighbours leads to a strong one.
void spread(std::vector<Mark>& marks, std::vector<int64_t> pending, int64_t height, int64_t width) {
  while (!pending.empty()) {
    const int64_t y = pending.back() / width;
    const int64_t x = pending.back() % width;
    pending.pop_back();
    for (int64_t j = std::max<int64_t>(y - 1, 0); j <= std::min(y + 1, height - 1); ++j) {
      for (int64_t i = std::max<int64_t>(x - 1, 0); i <= std::min(x + 1, width - 1); ++i) {
        Mark& mark = marks[static_cast<size_t>(j * width + i)];
        if (mark != Mark::weak) continue;
        mark = Mark::strong;
        pending.push_back(j * width + i);
      }
    }
  }
}

}  // namespace

Gradients sobel(const Image8& image) {
  Gradients g{image.height(), image.width(), {}, {}, {}};
  const int64_t channels = std::min<int64_t>(image.channels(), 3);
  for (int64_t y = 0; y < g.height; ++y) {
    for (int64_t x = 0; x < g.width; ++x) {
      Derivative best = sobel_at(image, y, x, 0);
      for (int64_t c = 1; c < channels; ++c) {
        const Derivative other = sobel_at(image, y, x, c);
        if (other.magnitude() > best.magnitude()) best = other;
      }
      g.dx.push_back(best.dx);
      g.dy.push_back(best.dy);
      g.magnitude.push_back(best.magnitude());
    }
  }
  return g;
}

Image8 trace_edges(const Gradients& g, int low, int high) {
  std::vector<Mark> marks(g.magnitude.size(), Mark::none);
  std::vector<int64_t> strong;
  for (int64_t y = 0; y < g.height; ++y) {
    for (int64_t x = 0; x < g.width; ++x) {
      const auto at = static_cast<size_t>(y * g.width + x);
      if (g.magnitude[at] <= low || !is_ridge(g, y, x)) continue;
      marks[at] = g.magnitude[at] > high ? Mark::strong : Mark::weak;
      if (marks[at] == Mark::strong) strong.push_back(y * g.width + x);
    }
  }
  spread(marks, std::move(strong), g.height, g.width);
  Image8 edges = Image8::zeros(g.height, g.width, 1);
  std::ranges::transform(marks, edges.data().begin(), [](Mark m) { return m == Mark::strong ? 255 : 0; });
  return edges;
}

Image8 opencv_grey(const Image8& image) {
  if (image.channels() == 1) return image;
  Image8 grey = Image8::zeros(image.height(), image.width(), 1);
  const auto channels = static_cast<size_t>(image.channels());
  const auto source = image.data();
  for (size_t i = 0; i < grey.data().size(); ++i) {
    const uint8_t* p = source.data() + i * channels;
    grey.data()[i] = static_cast<uint8_t>((9798 * p[0] + 19235 * p[1] + 3735 * p[2] + (1 << 14)) >> 15);
  }
  return grey;
}

Image8 canny(const Image8& image, const CannyOptions& options) {
  const int low = static_cast<int>(std::floor(std::min(options.low, options.high)));
  const int high = static_cast<int>(std::floor(std::max(options.low, options.high)));
  return trace_edges(sobel(options.per_channel ? image : opencv_grey(image)), low, high);
}

}  // namespace maquette::media
