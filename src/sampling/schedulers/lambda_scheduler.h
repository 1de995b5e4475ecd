// The base of the exponential-integrator schedulers: DPM-Solver, UniPC, DEIS. Latents have unit variance;
// levels are counted in lambda = log(alpha / sigma) of x = alpha * picture + sigma * noise.
#pragma once

#include <cmath>
#include <optional>

#include "sampling/latent_math.h"
#include "sampling/rounded_math.h"
#include "sampling/schedulers/spacing.h"

namespace maquette::sampling {

// A level, all in f32 as torch has it.
struct LambdaPoint {
  explicit LambdaPoint(float ratio)
      : alpha(1 / std::sqrt(ratio * ratio + 1)),
        sigma(ratio * alpha),
        lambda(log_f32(alpha) - log_f32(sigma)) {}
  float alpha;
  float sigma;
  float lambda;
};

class LambdaScheduler : public Scheduler {
 public:
  NoiseLevel level(int entry) const override {
    const LambdaPoint p = point(entry);
    return {p.alpha, p.sigma};
  }

 protected:
  LambdaScheduler(const SchedulerConfig& config, std::optional<float> last_alpha)
      : config_(config), levels_(trained_levels(config, last_alpha)) {}

  LambdaPoint point(int entry) const { return LambdaPoint(sigmas_[static_cast<size_t>(entry)]); }

  Tensor predicted_picture(const SchedulerStep& step) const {
    const LambdaPoint p = point(step.entry);
    Tensor picture = step.output;
    if (config_.prediction == Prediction::epsilon) {
      picture = divided(combine({{1.0f, step.sample}, {-p.sigma, step.output}}), p.alpha);
    } else if (config_.prediction == Prediction::v_prediction) {
      picture = combine({{p.alpha, step.sample}, {-p.sigma, step.output}});
    }
    if (!config_.thresholding) return picture;
    return dynamically_thresholded(picture, config_.dynamic_thresholding_ratio, config_.sample_max_value);
  }
  // Without thresholding.
  Tensor predicted_noise(const SchedulerStep& step) const {
    const LambdaPoint p = point(step.entry);
    if (config_.prediction == Prediction::epsilon) return step.output;
    if (config_.prediction == Prediction::v_prediction) {
      return combine({{p.alpha, step.output}, {p.sigma, step.sample}});
    }
    return noise_of(step, step.output);
  }
  Tensor noise_of(const SchedulerStep& step, const Tensor& picture) const {
    const LambdaPoint p = point(step.entry);
    return divided(combine({{1.0f, step.sample}, {-p.alpha, picture}}), p.sigma);
  }

  // The history of converted outputs, the newest first.
  void remember(const Tensor& output, size_t most) {
    outputs_.insert(outputs_.begin(), output);
    if (outputs_.size() > most) outputs_.pop_back();
  }

  // The level after the last timestep, as most of these classes configure it.
  float final_sigma() const {
    const float alpha = levels_.alphas_cumprod.front();
    return config_.final_sigma == FinalSigma::zero ? 0.0f : std::sqrt((1 - alpha) / alpha);
  }
  int last_entry() const { return static_cast<int>(timesteps_.size()) - 1; }

  SchedulerConfig config_;
  TrainedLevels levels_;
  std::vector<float> sigmas_;  // sigma / alpha of every entry, and the last
  std::vector<Tensor> outputs_;
};

}  // namespace maquette::sampling
