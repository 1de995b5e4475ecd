// Turns a picture into what a ControlNet is told about: edges, lines, scribbles. All take and give pictures
// of the same size; the results have one channel, white lines on black as the published ControlNets expect
// them (to_rgb before the network). Depth and segmentation maps are not computed here: the user brings them.
#pragma once

#include "media/image.h"

namespace maquette::media {

struct CannyOptions {
  double low = 100;   // gradients (|dx| + |dy|, Sobel 3x3) below are no edge
  double high = 200;  // gradients above are; those between only where they are connected to such
  // False: on the luminance. True: at each pixel on the channel with the largest gradient, as the published
  // preprocessors do when they are given a colour picture.
  bool per_channel = false;
};
// Equal to OpenCV's Canny (aperture 3, L1 norm) pixel by pixel; luminance is OpenCV's RGB to grey.
Image8 canny(const Image8& image, const CannyOptions& options = {});

struct LineArtOptions {
  double detail = 1;       // width in pixels of the finest line that counts (sigma of the inner Gaussian)
  double threshold = 0.5;  // lower: fewer lines. Of the normalised difference, 0 to 1
  double softness = 10;    // lower: softer ends
};
// Drawn-looking lines by an extended difference of Gaussians; grey values between lines and ground are kept.
Image8 line_art(const Image8& image, const LineArtOptions& options = {});

struct ScribbleOptions {
  double detail = 3;  // coarser than line art: only the large forms stay
  int thickness = 3;  // of the strokes, in pixels
  int shortest = 12;  // strokes of fewer pixels are left out
};
// Bold strokes along the large forms, pure black and white.
Image8 scribble(const Image8& image, const ScribbleOptions& options = {});

// Negative of every channel but alpha: for drawings with black lines on white.
Image8 invert_colours(const Image8& image);

}  // namespace maquette::media
