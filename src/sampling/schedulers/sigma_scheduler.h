// The base of schedulers whose latents are picture + sigma * noise: the Euler family.
#pragma once

#include <algorithm>
#include <cmath>

#include "sampling/latent_math.h"
#include "sampling/schedulers/spacing.h"

namespace maquette::sampling {

// What diffusers puts for the last alpha_bar of a schedule with zero terminal SNR (sigma 4096).
constexpr float kLastAlpha = 0x1p-24f;

class SigmaScheduler : public Scheduler {
 public:
  float init_noise_sigma() const override {
    const float most = *std::ranges::max_element(sigmas_);
    return config_.spacing == Spacing::leading ? std::sqrt(most * most + 1) : most;
  }
  Tensor scale_model_input(const Tensor& x, int entry) const override {
    const float sigma = input_level(entry).noise;
    return divided(x, std::sqrt(sigma * sigma + 1));
  }
  NoiseLevel level(int entry) const override { return {1, sigma_at(entry)}; }

 protected:
  explicit SigmaScheduler(const SchedulerConfig& config)
      : config_(config), levels_(trained_levels(config, kLastAlpha)) {}

  float sigma_at(int entry) const { return sigmas_[static_cast<size_t>(entry)]; }

  Tensor predicted_picture(const Tensor& output, const Tensor& sample, float sigma) const {
    const float power = sigma * sigma + 1;
    switch (config_.prediction) {
      case Prediction::epsilon: return combine({{1.0f, sample}, {-sigma, output}});
      case Prediction::v_prediction:
        return combine({{1.0f, scaled(output, -sigma / std::sqrt(power))}, {1.0f, divided(sample, power)}});
      case Prediction::sample: break;
    }
    return output;
  }
  static Tensor euler_step(const Tensor& x, const Tensor& derivative, float dt) {
    return combine({{1.0f, x}, {dt, derivative}});
  }

  // Every level but the first twice, the last once: the pattern of methods with two evaluations per step.
  // `last_twice` keeps the last level twice too.
  static std::vector<float> interleaved(const std::vector<float>& values, bool last_twice) {
    std::vector<float> out = {values.front()};
    for (size_t i = 1; i < values.size(); ++i) {
      out.push_back(values[i]);
      if (i + 1 < values.size() || last_twice) out.push_back(values[i]);
    }
    if (last_twice) out.push_back(values.back());
    return out;
  }

  SchedulerConfig config_;
  TrainedLevels levels_;
  std::vector<float> sigmas_;  // one per entry, and the last
};

// A ladder's levels in f32 with 0 at the end.
inline std::vector<float> with_zero(const std::vector<double>& sigmas) {
  std::vector<float> out(sigmas.begin(), sigmas.end());
  out.push_back(0);
  return out;
}

}  // namespace maquette::sampling
