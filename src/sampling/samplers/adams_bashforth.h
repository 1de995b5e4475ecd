// The Adams-Bashforth weights for equal steps, which PLMS and iPNDM apply to steps of any length.
#pragma once

#include <span>
#include <vector>

#include "sampling/latent_math.h"

namespace maquette::sampling {

// The slope to step with: `history` holds the latest slopes, the newest last; up to four are used.
inline Tensor adams_bashforth(std::span<const Tensor> history) {
  const auto back = [&history](size_t i) -> const Tensor& { return history[history.size() - 1 - i]; };
  switch (history.size()) {
    case 1: return back(0);
    case 2: return divided(combine({{3.0f, back(0)}, {-1.0f, back(1)}}), 2);
    case 3: return divided(combine({{23.0f, back(0)}, {-16.0f, back(1)}, {5.0f, back(2)}}), 12);
    default:
      return divided(combine({{55.0f, back(0)}, {-59.0f, back(1)}, {37.0f, back(2)}, {-9.0f, back(3)}}), 24);
  }
}

// Appends, keeping the latest four.
inline void remember_slope(std::vector<Tensor>& history, const Tensor& slope) {
  if (history.size() == 4) history.erase(history.begin());
  history.push_back(slope);
}

}  // namespace maquette::sampling
