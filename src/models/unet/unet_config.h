// What a UNet's weights do not say by their shapes: head counts, norm groups, embedding conventions.
#pragma once

#include <vector>

#include "base/json.h"

namespace maquette::models {

// How a number becomes waves (Vaswani et al. 2017, section 3.5): the step, and SDXL's size conditions.
struct WaveConvention {
  bool cosines_first = true;
  double frequency_shift = 0;
};

// SDXL: how each size condition is embedded.
struct SizeWaves {
  int64_t width = 256;
  WaveConvention waves;
};

struct UNetConfig {
  // Heads of the attentions of each level, outermost first; empty: 8 heads where projections are convolutions
  // (SD1), else heads 64 wide (SD2, SDXL).
  std::vector<int64_t> heads;
  int64_t norm_groups = 32;
  float norm_epsilon = 1e-5f;
  WaveConvention waves;
  int64_t size_embedding_width = 256;  // SDXL: width of each embedded size condition

  SizeWaves size_waves() const { return {size_embedding_width, waves}; }

  // From the config.json of a diffusers folder (an empty object gives the defaults above). Throws
  // Error(weights) on values that no supported network has.
  static UNetConfig from_json(const Json& config);
};

}  // namespace maquette::models
