// Elementary functions in float32, correctly rounded (through float64): PyTorch's are within half a bit of
// that, and the C library's float32 versions are not on every machine. The Brownian noise of an SDE step
// hangs on the last bit of a level.
#pragma once

#include <cmath>

namespace maquette::sampling {

inline float log_f32(float x) { return static_cast<float>(std::log(static_cast<double>(x))); }
inline float exp_f32(float x) { return static_cast<float>(std::exp(static_cast<double>(x))); }
inline float expm1_f32(float x) { return static_cast<float>(std::expm1(static_cast<double>(x))); }

}  // namespace maquette::sampling
