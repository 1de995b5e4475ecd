// Whether what a network answered are numbers: damaged weights give NaN, which would end as a black picture.
#pragma once

#include <string_view>

#include "tensor/tensor.h"

namespace maquette::nn {

// Throws Error(weights) that names the network ("the UNet") where any of the values (f32) is NaN or infinite.
void require_finite(const Tensor& values, std::string_view network);

}  // namespace maquette::nn
