// Does a texture repeat without a visible seam? A measure for each axis.
#pragma once

#include "media/image.h"

namespace maquette::media {

// Steps are mean absolute differences between neighbouring columns (x) or rows (y), over all pixels and
// channels, in 8-bit levels. `wrap` is the step from the last column to the first, which meet when the
// texture is repeated; `typical` the median of all steps inside the picture, which a few strong edges do not
// move; `beside` the mean of the three steps on either side of the seam, which are strong too where detail of
// the motif lies on the border.
//
//   ratio = (wrap + 1/2) / (max(typical, beside) + 1/2)
//
// 1.0: the seam is as smooth as the picture around it. Seamless textures stay below about 1.5; a picture that
// was not made to repeat has 2.5 and more. The half level keeps flat pictures from dividing nothing by
// nothing. `rank` is the share of inside steps at least as large as `wrap`: a seam that is no larger than
// many edges of the motif cannot be told from them, whatever the ratio.
struct AxisSeam {
  double wrap = 0;
  double typical = 0;
  double beside = 0;
  double ratio = 1;
  double rank = 1;
};
struct TilingSeam {
  AxisSeam x;  // across the left and right border
  AxisSeam y;  // across the top and bottom border
};

// Throws Error for pictures of fewer than 4 pixels a side.
TilingSeam tiling_seam(const Image8& image);

// The picture moved by (down, right) pixels around the torus: with half the size, the seams lie in the
// middle.
Image8 roll(const Image8& image, int64_t down, int64_t right);

}  // namespace maquette::media
