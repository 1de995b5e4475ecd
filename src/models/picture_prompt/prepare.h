// Preparing a picture for CLIP's picture encoder: shorter side resized, centre cut out, normalised.
#pragma once

#include "tensor/tensor.h"

namespace maquette::models {

// picture [3, H, W] f32 in 0..1 -> [1, 3, size, size] f32, zero mean and unit variance over CLIP's training
// pictures. As the reference's processor does on 8-bit pictures: values are rounded to 8 bits, resized with
// the bicubic filter (a = -0.5), widened by the reduction, in 8-bit passes (across, then down), and cut out
// of the middle.
Tensor prepare_for_vision(const Tensor& picture, int64_t size);

}  // namespace maquette::models
