// Prompts read for a recipe, remembered for the pictures that follow it.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "diffusion/conditioning.h"
#include "diffusion/guidance.h"
#include "diffusion/model.h"
#include "diffusion/pictures.h"

namespace maquette::diffusion {

struct PictureInput;

// What the text encoders said to a recipe.
struct ReadPrompts {
  PromptPlan plan;
  std::map<int64_t, Tensor> score_bias;  // of regions: see nn::CrossContext
  std::vector<std::string> warnings;
};

struct PromptRequest {
  Model& model;
  const std::string& model_key;
  const Recipe& recipe;
  const ConditioningSettings& settings;
  const Pictures& pictures;
};

// Keeps the last few: pictures that differ in what no text encoder hears (seed, size unless the model is told
// it, sampler) share them, and so do the passes of hi-res pictures.
class PromptCache {
 public:
  // Reads prompts and regions. Throws Error(usage) for
  // prompts that cannot be read.
  ReadPrompts read(kernels::Exec& ex, const PromptRequest& request, const PictureInput& input);

 private:
  std::deque<std::pair<std::string, ReadPrompts>> kept_;
};

}  // namespace maquette::diffusion
