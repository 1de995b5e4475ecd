// The base of schedulers that keep latents at unit variance and count in whole timesteps: DDIM, DDPM, PNDM,
// LCM, TCD.
#pragma once

#include <cmath>

#include "sampling/latent_math.h"
#include "sampling/schedulers/spacing.h"

namespace maquette::sampling {

class AlphaScheduler : public Scheduler {
 public:
  NoiseLevel level(int entry) const override {
    if (entry >= static_cast<int>(timesteps_.size())) return {1, 0};
    const float alpha = alpha_bar(static_cast<int>(timesteps_[static_cast<size_t>(entry)]));
    return {std::sqrt(alpha), std::sqrt(1 - alpha)};
  }

 protected:
  explicit AlphaScheduler(const SchedulerConfig& config) : config_(config), levels_(trained_levels(config)) {}

  // Negative timesteps count from the end, which numpy's rounding makes some trailing spacings reach.
  float alpha_bar(int timestep) const {
    const auto& alphas = levels_.alphas_cumprod;
    const auto count = static_cast<int>(alphas.size());
    const int index = timestep < 0 ? timestep + count : timestep;
    if (index < 0 || index >= count) {
      throw Error(ErrorCode::usage, "cannot sample at timestep {} with {}", timestep, name(config_.scheduler))
          .hint("another number of steps avoids it");
    }
    return alphas[static_cast<size_t>(index)];
  }
  float alpha_bar_or_final(int timestep) const {
    if (timestep >= 0) return alpha_bar(timestep);
    return config_.set_alpha_to_one ? 1.0f : levels_.alphas_cumprod.front();
  }
  int timestep(int entry) const { return static_cast<int>(timesteps_[static_cast<size_t>(entry)]); }

  // Dynamic thresholding or clamping of the predicted picture, as configured.
  Tensor limited(const Tensor& picture) const {
    if (config_.thresholding) {
      return dynamically_thresholded(picture, config_.dynamic_thresholding_ratio, config_.sample_max_value);
    }
    if (config_.clip_sample) return clamped(picture, -config_.clip_sample_range, config_.clip_sample_range);
    return picture;
  }

  // The picture and the noise that the output means at signal level alpha_bar.
  struct Split {
    Tensor picture;
    Tensor noise;
  };
  Split split(const SchedulerStep& step, float alpha) const {
    const float signal = std::sqrt(alpha);
    const float noise = std::sqrt(1 - alpha);
    switch (config_.prediction) {
      case Prediction::epsilon:
        return {divided(combine({{1.0f, step.sample}, {-noise, step.output}}), signal), step.output};
      case Prediction::v_prediction:
        return {combine({{signal, step.sample}, {-noise, step.output}}),
                combine({{signal, step.output}, {noise, step.sample}})};
      case Prediction::sample: break;
    }
    return {step.output, divided(combine({{1.0f, step.sample}, {-signal, step.output}}), noise)};
  }

  SchedulerConfig config_;
  TrainedLevels levels_;
};

}  // namespace maquette::sampling
