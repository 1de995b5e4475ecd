// Control pictures by name.
#pragma once

#include <string_view>

#include "media/image.h"

namespace maquette::diffusion {

// canny, lineart, scribble, invert: computed from the picture; none, depth, segmentation, normal, pose: the
// picture is the control already. -> RGB. Throws Error(usage) for other kinds.
media::Image8 control_picture(std::string_view kind, const media::Image8& picture);

}  // namespace maquette::diffusion
