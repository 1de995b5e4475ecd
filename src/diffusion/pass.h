// One sampling pass: from noise (or a picture) to a clean latent, under the guidance of words, masks and
// controls.
#pragma once

#include "diffusion/engine.h"
#include "diffusion/guides.h"
#include "diffusion/step_journal.h"

namespace maquette::diffusion {

struct PassRequest {
  const Model& model;
  const Recipe& recipe;  // with defaults filled in
  const LatentInput& input;
  sampling::SamplingPlan& sampling;
  PromptPlan plan;
  ControlFunction control;               // empty: none
  std::map<int64_t, Tensor> score_bias;  // regional prompts
  std::vector<AdapterStates> adapters;   // T2I-Adapters
  std::function<void(int done, int total, const Tensor& denoised)>
      step_done;  // throws Error(cancelled) to stop
  StepJournal* journal = nullptr;
  PromptPullFunction prompt_pull = {};  // not called for what the journal answers
};

// Whether a ControlNet or T2I-Adapter takes part; picture prompts (IP-Adapter) belong to the plain pipelines.
bool under_control(const Recipe& recipe);

// Whether the first latent is noise alone: without a picture, and in diffusers' inpainting at strength 1.
bool starts_from_noise(const Recipe& recipe);

// What sampling is asked for by a recipe.
sampling::SamplingRequest sampling_request(const Model& model, const Recipe& recipe, bool has_init);

// What people should know about samplers and schedules that do not go together with the model.
std::vector<std::string> sampling_notes(const Model& model, const sampling::SamplingPlan& plan);

// -> [1, C, h, w] f32
Tensor run_pass(kernels::Exec& ex, const PassRequest& request, sampling::NoiseSource& noise);

}  // namespace maquette::diffusion
