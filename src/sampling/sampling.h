// Sampling as the pipelines see it: a request in the user's terms becomes a plan, and the plan turns noise
// into a clean latent by calling the network. Guidance, ControlNets, masks and previews stay outside, in the
// callbacks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "sampling/noise.h"
#include "sampling/schedulers/scheduler.h"
#include "tensor/tensor.h"

namespace maquette::sampling {

struct SamplingRequest {
  Dialect dialect = Dialect::diffusers;
  std::string sampler;  // any spelling; empty: the configuration's class, or the dialect's own default
  std::string
      schedule;  // any spelling; empty: as configured (diffusers), "Automatic" (A1111), normal (ComfyUI)
  int steps = 20;
  // img2img: how much of the picture is repainted, 0 to 1. Not set: from pure noise.
  std::optional<double> strength;
  // Only the steps first_step .. last_step - 1 (counted over the whole schedule); the latent may end noisy.
  int first_step = 0;
  std::optional<int> last_step;
  // Fractions of the training schedule, as SDXL's base and refiner share a picture (diffusers dialect).
  std::optional<double> denoising_start;
  std::optional<double> denoising_end;

  Json scheduler_config;  // scheduler_config.json of the model folder; may be null
  PipelineCorrections corrections = PipelineCorrections::text_or_picture;  // of the configuration
  bool sdxl = false;                                                       // which table of align-your-steps
  std::optional<Prediction> prediction;                                    // overrides the configuration
  std::optional<bool> zero_terminal_snr;                                   // overrides the configuration

  std::optional<double>
      eta;  // not set: 0 for ddim and diffusers' tcd, 0.3 for tcd elsewhere, 1 for the others
  double s_churn = 0;
  double s_tmin = 0;
  double s_tmax = 0;  // 0: no limit
  double s_noise = 1;
};

// What a callback may know about the latent that it is shown.
struct LatentState {
  int step = 0;         // from 0
  int total = 0;        // steps of this run
  int call = 0;         // network calls made before, in this run
  double timestep = 0;  // of the network call; for after_step the one that follows, or 0 at the end
  NoiseLevel level;     // x = level.signal * picture + level.noise * noise
  float sigma() const { return level.noise / level.signal; }
};

// The network with its guidance: its raw answer (noise, velocity or picture, as the prediction type says) to
// the latent scaled to unit variance [N, C, h, w]. May throw, to cancel.
using ModelFunction = std::function<Tensor(const Tensor& x_scaled, const LatentState& state)>;

struct SamplingHooks {
  // Before a network call: the latent as the network will see it, not yet scaled. A change does not reach the
  // sampler's own latent. ComfyUI's masks replace the kept part by the picture with noise of this level here.
  std::function<void(Tensor& x, const LatentState& state)> before_model;
  // After a network call: the predicted picture. A1111's and ComfyUI's masks blend the kept part in here.
  std::function<void(Tensor& denoised, const LatentState& state)> after_model;
  // After a step: the latent, which may be changed, and the picture predicted in the step. `state.level` is
  // what the latent holds now. diffusers' inpainting replaces the kept part by the picture with noise of that
  // level here. In the diffusers dialect every network call counts as a step.
  std::function<void(Tensor& x, const Tensor& denoised, const LatentState& state)> after_step;
};

class SamplingPlan {
 public:
  virtual ~SamplingPlan() = default;

  const std::string& sampler() const { return sampler_; }  // "dpm++2m"
  const std::string& schedule() const {
    return schedule_;
  }  // "karras"; "configured" where a configuration decides
  const std::string& scheduler_class() const {
    return scheduler_class_;
  }  // diffusers dialect; otherwise empty
  Prediction prediction() const { return prediction_; }
  // The timestep of the (first) network call of every step, and the calls in all: for prompt schedules,
  // control ranges and the time left.
  const std::vector<double>& timesteps() const { return timesteps_; }
  int steps() const { return static_cast<int>(timesteps_.size()); }
  int model_calls() const { return model_calls_; }
  // A1111's DDIM, PLMS and UniPC over lists of timesteps: what before_model changes reaches the predicted
  // noise only, and the picture follows from it and the sampler's own latent.
  bool over_timesteps() const { return over_timesteps_; }

  // What the latent holds at the start: for networks and pictures that must be noised likewise.
  virtual NoiseLevel first_level() const = 0;
  // The first latent: from noise alone, or for img2img from a clean latent with noise on it.
  virtual Tensor start(const Tensor& noise) const = 0;
  virtual Tensor start(const Tensor& clean, const Tensor& noise) const = 0;
  // Runs all steps. Throws Error(failed) naming the step where the network's answer or the latent is not
  // finite, and passes on what the callbacks throw. A plan runs once.
  virtual Tensor run(Tensor x, const ModelFunction& model, NoiseSource& noise,
                     const SamplingHooks& hooks) = 0;

 protected:
  std::string sampler_;
  std::string schedule_;
  std::string scheduler_class_;
  Prediction prediction_ = Prediction::epsilon;
  std::vector<double> timesteps_;
  int model_calls_ = 0;
  bool over_timesteps_ = false;
};

// Throws Error(usage) where the parts of the request contradict each other or leave no step to do.
std::unique_ptr<SamplingPlan> plan_sampling(const SamplingRequest& request);

// All at once: from noise [N, C, h, w], over `clean` where it is defined (img2img).
struct SamplingInput {
  Tensor noise;
  Tensor clean;
};
Tensor run_sampling(const SamplingRequest& request, const SamplingInput& input, const ModelFunction& model,
                    NoiseSource& noise, const SamplingHooks& hooks = {});

}  // namespace maquette::sampling
