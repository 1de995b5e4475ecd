// The second pass of a hi-res picture: the first picture enlarged, and painted over at part strength with the
// same seed.
#pragma once

#include "diffusion/guides.h"

namespace maquette::diffusion {

// `pixels` [1, 3, H, W] in [-1, 1], decoded from the first pass, at recipe.hires.scale times the size
// (Lanczos), in whole latent pixels. Textures stay seamless.
PictureInput enlarged(const PictureInput& first, const Tensor& pixels, const Recipe& recipe, int factor);

}  // namespace maquette::diffusion
