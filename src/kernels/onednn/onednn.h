// Convolutions and matrix products by oneDNN, on channels-last activations: what processors without AVX-512
// run, and a second opinion on all others.
#pragma once

#include "kernels/conv.h"
#include "kernels/matmul.h"

namespace maquette::kernels {

extern const ConvImplementation kOnednnConvF32;
extern const ConvImplementation kOnednnConvBf16;
extern const MatmulImplementation kOnednnMatmulF32;
extern const MatmulImplementation kOnednnMatmulBf16;

}  // namespace maquette::kernels
