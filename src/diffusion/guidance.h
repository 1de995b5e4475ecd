// Guidance: one call of the denoising network per step for all prompts of the moment, mixed into one
// prediction.
//
//   prediction = negative + sum over parts of cfg weight_i (part_i - negative)     (Ho & Salimans 2022; AND:
//   Liu
//                                                                                   et al. 2022, eq. 12)
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <vector>

#include "diffusion/feature_cache.h"
#include "models/unet/unet.h"

namespace maquette::diffusion {

// The steps from which and before which something takes part.
struct StepRange {
  int from = 0;
  int until = std::numeric_limits<int>::max();
  bool contains(int step) const { return step >= from && step < until; }
};

// One prompt as the network takes it.
struct Condition {
  Tensor tokens;                       // [1, T, C] f32
  Tensor added;                        // SDXL: [1, pooled + sizes] f32; undefined otherwise
  std::vector<Tensor> picture_tokens;  // picture prompts: [1, T', C] f32 each, with their weights beside
  std::vector<float> picture_weights;
  std::vector<StepRange> picture_steps;
};

// Where in the sampling a network call stands.
struct CallPosition {
  double timestep = 0;
  int step = 0;     // for controls
  int call = 0;     // for prompts that change: samplers of second order call twice per step
  size_t tile = 0;  // of tiled sampling
};

// The prompts in force while call < until_call, by their place in PromptPlan::conditions.
struct PromptMoment {
  struct Part {
    size_t condition = 0;
    double weight = 1;
  };
  int until_call = 0;
  std::vector<Part> parts;
};

struct PromptPlan {
  std::vector<Condition> conditions;
  std::vector<PromptMoment> positive;
  std::vector<PromptMoment> negative;  // one part each

  const PromptMoment& positive_at(int call) const;
  const PromptMoment& negative_at(int call) const;
};

struct GuidanceSettings {
  double scale = 7.5;
  double rescale = 0;            // Lin et al. 2023, section 3.4
  bool always_negative = false;  // evaluate the negative even where scale is 1 (edit models)
  // Edit models (Brooks et al. 2023, eq. 3): how much the picture counts; 0: not an edit model.
  double image_scale = 0;
  double embedded_scale = 0;  // latent consistency models: the guidance that the network is told
  Recipe::FeatureCache feature_cache;
};

// Residuals of the ControlNets for this batch and step; called once per batch, before the network.
struct ControlCall {
  const models::UNetInput& input;
  std::vector<float> positive;  // per picture of the batch: 1 under a positive prompt, 0 under a negative one
  int step = 0;
};
using ControlFunction = std::function<models::Residuals(kernels::Exec&, const ControlCall&)>;

// What one T2I-Adapter adds to the network's way down.
struct AdapterStates {
  std::vector<Tensor> states;  // [1, h, w, c], one per level
  StepRange steps;
};

// How far the prompts of a call draw the prediction away from the negative's: the root mean square over its
// elements of (prompted - negative), before the guidance scale. Words that a model knows by heart draw harder
// (Wen et al. 2024, arXiv:2407.21720, section 4).
using PromptPullFunction = std::function<void(double pull)>;

class GuidedModel {
 public:
  GuidedModel(const models::UNet& unet, kernels::Exec& ex, PromptPlan plan, GuidanceSettings settings);

  // Channels that go to the network after the latent's own, [1, C, h, w] f32: mask and masked picture of an
  // inpainting model, the picture of an edit model (zeros for its picture-less part).
  void set_extra_channels(Tensor extra) { extra_ = std::move(extra); }
  void set_control(ControlFunction control) { control_ = std::move(control); }
  void set_adapters(std::vector<AdapterStates> adapters) { adapters_ = std::move(adapters); }
  // Called once for each call that is guided by a negative (of each tile, in tiled sampling).
  void set_prompt_pull(PromptPullFunction prompt_pull) { prompt_pull_ = std::move(prompt_pull); }
  // Regional prompts: see nn::CrossContext::score_bias; for the positive parts only.
  void set_score_bias(std::map<int64_t, Tensor> bias) { score_bias_ = std::move(bias); }

  // x [1, C, h, w] f32 as the network takes it (already scaled) -> prediction [1, C', h, w] f32.
  Tensor operator()(const Tensor& x, const CallPosition& at);

  // See FeatureCache.
  bool stands_alone(int call) const { return feature_cache_.stands_alone(call); }

 private:
  struct Member {
    size_t condition = 0;
    bool with_picture = true;  // edit models: whether the picture's channels are given
    bool positive = true;
  };
  std::vector<Tensor> evaluate(const std::vector<Member>& members, const Tensor& x, const CallPosition& at);
  std::vector<size_t> key_of(const std::vector<Member>& members, int step) const;
  const nn::CrossContext& context_of(const std::vector<Member>& members, int step);
  Tensor input_of(const std::vector<Member>& members, const Tensor& x) const;
  std::vector<Tensor> adapter_states_for(int64_t batch, int step);
  Tensor edit_guidance(const Tensor& x, const CallPosition& at);
  void tell_prompt_pull(const Tensor& prompted, const Tensor& negative) const;

  const models::UNet& unet_;
  kernels::Exec& ex_;
  PromptPlan plan_;
  GuidanceSettings settings_;
  Tensor extra_;
  ControlFunction control_;
  std::vector<AdapterStates> adapters_;
  std::map<int64_t, Tensor> score_bias_;
  PromptPullFunction prompt_pull_;
  std::map<std::vector<size_t>, nn::CrossContext> contexts_;
  FeatureCache feature_cache_;
};

}  // namespace maquette::diffusion
