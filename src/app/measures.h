// What is measured on a finished picture: how well a texture meets itself, what happened at a mask's edge.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "diffusion/engine.h"

namespace maquette::app {

struct Measured {
  std::vector<std::pair<std::string, double>> measures;  // seam_x, seam_y, drift_outside, ...
  std::vector<std::string> notes;                        // the same for people
};
Measured measure(const diffusion::Picture& picture);

}  // namespace maquette::app
