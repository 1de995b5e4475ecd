// Reduce the picture to kWorkingSide squared, turn it into L*a*b*, then take means and line directions by
// cell, and quantiles over all of it. Line histograms as in Dalal & Triggs 2005 (unsigned directions, one
// normalisation for the whole picture).
#include "audit/appearance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "media/color.h"
#include "media/resize.h"
#include "media/thumbnail.h"

namespace maquette::audit {

namespace {

constexpr uint8_t kMidGrey = 119;  // sRGB-encoded, L* 50

struct LabPlanes {
  std::array<std::vector<float>, 3> channel;  // [kWorkingSide * kWorkingSide] each
  float l(int y, int x) const {
    const int row = std::clamp(y, 0, kWorkingSide - 1);
    const int column = std::clamp(x, 0, kWorkingSide - 1);
    return channel[0][static_cast<size_t>(row * kWorkingSide + column)];
  }
};

// [kWorkingSide, kWorkingSide, 3]
media::Image8 working_size(const media::Image8& picture) {
  const media::Image8 reduced =
      media::to_rgb(media::reduce_area(picture, std::min<int64_t>(picture.height(), kWorkingSide),
                                       std::min<int64_t>(picture.width(), kWorkingSide), kMidGrey));
  return media::resize(reduced, kWorkingSide, kWorkingSide, media::Filter::bilinear);
}

LabPlanes lab_planes(const media::Image8& picture) {
  const media::Image8 small = working_size(picture);
  LabPlanes planes;
  for (std::vector<float>& channel : planes.channel) channel.reserve(kWorkingSide * kWorkingSide);
  const auto values = small.data();
  for (size_t i = 0; i < values.size(); i += 3) {
    const media::Lab lab =
        media::srgb_to_lab(static_cast<float>(values[i]) / 255.0f, static_cast<float>(values[i + 1]) / 255.0f,
                           static_cast<float>(values[i + 2]) / 255.0f);
    planes.channel[0].push_back(static_cast<float>(lab.l));
    planes.channel[1].push_back(static_cast<float>(lab.a));
    planes.channel[2].push_back(static_cast<float>(lab.b));
  }
  return planes;
}

size_t cell_of(int y, int x) {
  constexpr int kCell = kWorkingSide / kGridSide;
  return static_cast<size_t>((y / kCell) * kGridSide + x / kCell);
}

std::vector<float> cell_colors(const LabPlanes& planes) {
  std::vector<float> colors(kGridSide * kGridSide * 3);
  constexpr float kPixelsOfCell = (kWorkingSide / kGridSide) * (kWorkingSide / kGridSide);
  for (int y = 0; y < kWorkingSide; ++y) {
    for (int x = 0; x < kWorkingSide; ++x) {
      const auto pixel = static_cast<size_t>(y * kWorkingSide + x);
      for (size_t c = 0; c < 3; ++c)
        colors[cell_of(y, x) * 3 + c] += planes.channel[c][pixel] / kPixelsOfCell;
    }
  }
  return colors;
}

std::vector<float> cell_lines(const LabPlanes& planes) {
  std::vector<float> lines(kGridSide * kGridSide * kDirections);
  for (int y = 0; y < kWorkingSide; ++y) {
    for (int x = 0; x < kWorkingSide; ++x) {
      const float dx = planes.l(y, x + 1) - planes.l(y, x - 1);
      const float dy = planes.l(y + 1, x) - planes.l(y - 1, x);
      const float strength = std::hypot(dx, dy);
      if (strength == 0) continue;
      // A line of either direction is the same line: half a turn, shared by the two nearest directions.
      double turn = std::atan2(dy, dx) / std::numbers::pi;
      if (turn < 0) turn += 1;
      const double place = turn * kDirections;
      const auto low = static_cast<int>(place);
      const auto part = static_cast<float>(place - low);
      float* cell = &lines[cell_of(y, x) * kDirections];
      cell[low % kDirections] += strength * (1 - part);
      cell[(low + 1) % kDirections] += strength * part;
    }
  }
  double squares = 0;
  for (const float v : lines) squares += static_cast<double>(v) * v;
  if (squares == 0) return lines;
  const auto length = static_cast<float>(std::sqrt(squares));
  for (float& v : lines) v /= length;
  return lines;
}

std::vector<float> quantiles(LabPlanes planes) {
  std::vector<float> palette;
  for (std::vector<float>& channel : planes.channel) {
    std::ranges::sort(channel);
    const size_t step = channel.size() / kQuantiles;
    for (size_t q = 0; q < kQuantiles; ++q) palette.push_back(channel[q * step + step / 2]);
  }
  return palette;
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  return sum;
}

}  // namespace

Appearance appearance_of(const media::Image8& picture) {
  LabPlanes planes = lab_planes(picture);
  Appearance appearance{.colors = cell_colors(planes), .lines = cell_lines(planes), .palette = {}};
  appearance.palette = quantiles(std::move(planes));
  return appearance;
}

double likeness(const Appearance& a, const Appearance& b) {
  const double color = squared_distance(a.colors, b.colors) / (kGridSide * kGridSide);
  const double lines = squared_distance(a.lines, b.lines);
  return std::exp(-color / (2 * kColorWidth * kColorWidth) - lines / (2 * kLinesWidth * kLinesWidth));
}

double palette_distance(std::span<const float> a, std::span<const float> b) {
  double squares = 0;
  for (size_t channel = 0; channel < 3; ++channel) {
    double sum = 0;
    for (size_t q = 0; q < kQuantiles; ++q)
      sum += std::abs(static_cast<double>(a[channel * kQuantiles + q]) - b[channel * kQuantiles + q]);
    squares += (sum / kQuantiles) * (sum / kQuantiles);
  }
  return std::sqrt(squares);
}

}  // namespace maquette::audit
