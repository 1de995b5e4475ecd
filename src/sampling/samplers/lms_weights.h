// Weights of the linear multistep method for steps of any length.
#pragma once

#include <span>
#include <vector>

namespace maquette::sampling {

// The integral from points[i] to points[i + 1] of the Lagrange polynomial that is 1 at points[i - j] and 0 at
// the other of the `order` latest points, for j = 0 .. order - 1.
std::vector<double> lms_weights(std::span<const float> points, size_t i, int order);

}  // namespace maquette::sampling
