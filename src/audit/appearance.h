// What a picture looks like from afar, as numbers: its colours and its lines on a coarse grid. No learned
// weights: two pictures are alike here when their layout is, whatever they show.
#pragma once

#include <span>
#include <vector>

#include "media/image.h"

namespace maquette::audit {

inline constexpr int kGridSide = 4;       // cells along each side
inline constexpr int kDirections = 8;     // of lines, over half a turn
inline constexpr int kQuantiles = 64;     // of each colour channel
inline constexpr int kWorkingSide = 128;  // pixels that a picture is reduced to before it is measured

struct Appearance {
  // Mean L*, a*, b* of each cell: [kGridSide * kGridSide][3].
  std::vector<float> colors;
  // Strength of the lines in each cell and direction: [kGridSide * kGridSide][kDirections], of length 1 as a
  // vector (all zeros where there are no lines).
  std::vector<float> lines;
  // Quantiles of L*, a* and b* over the whole picture: [3][kQuantiles], rising.
  std::vector<float> palette;
};

// Any size of at least 1 x 1; transparent parts count as mid grey.
Appearance appearance_of(const media::Image8& picture);

// 1 for pictures that look the same, near 0 for unlike ones: exp(-colour^2 / 2 - lines^2 / 2), where colour
// is the root mean square CIE 1976 difference of the cells over kColorWidth, lines the distance of the line
// vectors over kLinesWidth. A product of Gaussian kernels, so matrices of it are positive semidefinite.
inline constexpr double kColorWidth = 12;  // L*a*b* units
inline constexpr double kLinesWidth = 0.5;
double likeness(const Appearance& a, const Appearance& b);

// How far two palettes are apart, in L*a*b* units: the root of the sum over the three channels of the squared
// one-dimensional Wasserstein distance (the mean distance of the quantiles). 0 for the same palette in
// another layout.
double palette_distance(std::span<const float> a, std::span<const float> b);

}  // namespace maquette::audit
