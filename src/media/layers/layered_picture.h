// A picture in layers, as painters hand it on: what OpenRaster and Photoshop files are written from, and what
// an OpenRaster file is read into.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "media/layers/blend_mode.h"
#include "media/layers/integer_pixels.h"

namespace maquette::media {

// Hides parts of a layer: its alpha is multiplied by the mask. Offsets count from the canvas, not from the
// layer.
struct LayerMask {
  IntegerPixels pixels;  // one channel
  int64_t x = 0;
  int64_t y = 0;
  bool shows_outside = false;  // what lies beyond the mask's pixels is shown, not hidden
};

struct Layer {
  std::string name;  // UTF-8
  int64_t x = 0;     // of the upper left pixel, from the canvas' upper left corner; may be negative
  int64_t y = 0;
  IntegerPixels pixels;  // RGBA; none in a group
  double opacity = 1;
  bool visible = true;
  BlendMode blend = BlendMode::normal;
  std::optional<LayerMask> mask = {};

  bool is_group = false;
  bool pass_through = false;         // see passes_through
  std::vector<Layer> children = {};  // bottom to top
};

struct LayeredPicture {
  int64_t width = 0;
  int64_t height = 0;
  int bits = 8;                    // of the merged picture, and of everything in a PSD file: 8 or 16
  double dpi = 72;                 // for printing
  std::vector<Layer> layers = {};  // bottom to top
};

// Throws Error(usage) for sizes outside 1 to 300,000, layers without pixels or name, pixels in groups, masks
// that are not one channel, opacities outside 0..1, names that are not UTF-8, more than 20 levels of groups
// or 8,000 layers.
void check_layers(const LayeredPicture& picture);
// Whether a group's layers blend with what lies below the group, as if they stood there by themselves: where
// this was asked for, and the group's mode is normal, its opacity 1 and there is no mask. Otherwise they
// blend with each other first.
bool passes_through(const Layer& group);
// Layers and groups, all levels.
size_t count_layers(const std::vector<Layer>& layers);

// What the layers look like together, RGBA of the canvas with the picture's bits: source-over with blend
// modes in encoded values, as painting programs do by default. The merged picture of every layered file, and
// the reference for other programs' rendering of them.
IntegerPixels composite(const LayeredPicture& picture);

// How much a mask shows at a place of the canvas, 0 to 1.
float mask_at(const LayerMask& mask, int64_t y, int64_t x);
// The layer's pixels with the mask multiplied into their alpha.
IntegerPixels masked_pixels(const Layer& layer);

}  // namespace maquette::media
