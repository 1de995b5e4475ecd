// Regional prompts: parts of the picture that listen to a prompt of their own, by masking the cross
// attention.
#pragma once

#include <map>

#include "diffusion/conditioning.h"
#include "diffusion/guidance.h"
#include "diffusion/pictures.h"

namespace maquette::diffusion {

struct RegionSize {
  int64_t height = 0;  // latent pixels
  int64_t width = 0;
};
struct RegionFrame {
  RegionSize size;
  const Pictures& pictures;  // where masks come from
};

// Appends the regions' tokens to every positive condition, and returns the score biases by number of pixels,
// for GuidedModel::set_score_bias. A pixel hears a region as loudly as the region's mask covers it (times its
// weight), and the whole picture's prompt at least at kBaseInside.
std::map<int64_t, Tensor> add_regions(ChunkEncoder& chunks, const Recipe& recipe,
                                      const ConditioningSettings& settings, const RegionFrame& frame,
                                      PromptPlan& plan);

}  // namespace maquette::diffusion
