// Controls: ControlNets, T2I-Adapters and picture prompts of a recipe, ready for a sampling pass.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "diffusion/guides.h"
#include "diffusion/pass.h"
#include "models/control/controlnet.h"
#include "models/control/t2i_adapter.h"
#include "models/picture_prompt/ip_adapter.h"
#include "models/picture_prompt/vision_encoder.h"

namespace maquette::diffusion {

// Control networks by file, kept between recipes.
class ControlLibrary {
 public:
  struct Entry {
    std::optional<models::ControlNet> controlnet;
    std::optional<models::T2iAdapter> t2i;
    std::optional<models::IpAdapter> ip;
    std::optional<models::VisionEncoder> vision;
  };
  // Loads a file or folder once. A ControlNet without a configuration is built as `unet` is configured, the
  // network that it was copied from. Throws Error(weights) for what is no control network.
  const Entry& get(const std::string& path, const Json& unet);

 private:
  std::map<std::string, Entry> entries_;
};

// What the recipe's controls add to a pass over pictures of `height` x `width` pixels.
struct PreparedControls {
  ControlFunction residuals;            // of all ControlNets; empty: none
  std::vector<AdapterStates> adapters;  // T2I-Adapters
  size_t picture_prompts = 0;
};

struct ControlSize {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<double> timesteps;  // of the pass's steps, for ranges
  const Pictures& pictures;
};

// The steps in which a control takes part, by the dialect's rule: diffusers wants the whole step inside the
// fractions, A1111 its beginning, and ComfyUI reads fractions of the training schedule.
StepRange steps_of(const Recipe::Control& control, Dialect dialect, std::span<const double> timesteps);

// Installs picture prompts in the model's UNet and adds their tokens to the plan's conditions;
// remove_controls takes them out again.
PreparedControls prepare_controls(kernels::Exec& ex, Model& model, const Recipe& recipe,
                                  const ControlSize& size, ControlLibrary& library, PromptPlan& plan);
void remove_controls(Model& model);

}  // namespace maquette::diffusion
