// Euler's method (Karras et al. 2022, arXiv:2206.00364, algorithm 2 without its correction), with optional
// churn.
#include "sampling/numeric.h"
#include "sampling/rounded_math.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/sigma_scheduler.h"

namespace maquette::sampling {

namespace {

class Euler : public SigmaScheduler {
 public:
  Euler(const SchedulerConfig& config, const SchedulerSteps& steps) : SigmaScheduler(config) {
    if (!steps.sigmas.empty()) {
      sigmas_ = steps.sigmas;
      for (size_t i = 0; i + 1 < sigmas_.size(); ++i) {
        timesteps_.push_back(static_cast<float>(timestep_of_sigma(sigmas_[i], levels_.log_sigmas)));
      }
    } else {
      const Ladder ladder = euler_ladder(config, levels_, steps);
      sigmas_.assign(ladder.sigmas.begin(), ladder.sigmas.end());
      const float alpha = levels_.alphas_cumprod.front();
      sigmas_.push_back(config.final_sigma == FinalSigma::zero ? 0 : std::sqrt((1 - alpha) / alpha));
      for (const double t : ladder.timesteps) timesteps_.push_back(static_cast<float>(t));
    }
    if (config.continuous_timesteps && config.prediction == Prediction::v_prediction) {
      timesteps_.clear();
      for (size_t i = 0; i + 1 < sigmas_.size(); ++i) timesteps_.push_back(0.25f * log_f32(sigmas_[i]));
    }
  }

  StepResult step(const SchedulerStep& step) override {
    const float sigma = sigma_at(step.entry);
    const bool churns = step.s_tmin <= sigma && sigma <= step.s_tmax;
    const float gamma =
        churns ? std::min(step.s_churn / static_cast<float>(sigmas_.size() - 1), std::sqrt(2.0f) - 1) : 0.0f;
    const float raised = sigma * (gamma + 1);
    Tensor sample = step.sample;
    if (gamma > 0) {
      const Tensor noise = scaled(step.noise.step(sample.shape()), step.s_noise);
      sample = combine({{1.0f, sample}, {std::sqrt(raised * raised - sigma * sigma), noise}});
    }
    // The velocity is always read at the level before churning, as in diffusers.
    const float read_at = config_.prediction == Prediction::v_prediction ? sigma : raised;
    const Tensor picture = predicted_picture(step.output, sample, read_at);
    const Tensor derivative = difference_over(sample, picture, raised);
    return {euler_step(sample, derivative, sigma_at(step.entry + 1) - raised), picture};
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_euler(const SchedulerConfig& config, const SchedulerSteps& steps) {
  if (steps.sigmas.empty() && steps.timesteps.empty()) check_steps(steps.steps, 100000, config);
  return std::make_unique<Euler>(config, steps);
}

}  // namespace maquette::sampling
