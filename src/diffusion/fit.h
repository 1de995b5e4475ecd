// Bringing a part of a picture to another shape without distorting it, and back: diffusers' rule for
// repainting the masked part only, where the part meets the picture's border and cannot take the working
// proportions.
#pragma once

#include "media/image.h"

namespace maquette::diffusion {

// As large as fits into height x width, in the middle; what is left beside it repeats its edge.
media::Image8 fitted(const media::Image8& part, int64_t height, int64_t width);

// The middle of the picture in the proportions of height x width, at that size: undoes fitted().
media::Image8 unfitted(const media::Image8& picture, int64_t height, int64_t width);
media::Image unfitted(const media::Image& picture, int64_t height, int64_t width);

}  // namespace maquette::diffusion
