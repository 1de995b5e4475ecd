// DDPM's ancestral sampling (Ho et al. 2020, arXiv:2006.11239, equations 6 and 7): the mean of the posterior
// given the predicted picture, and its variance as new noise.
#include "sampling/schedulers/alpha_scheduler.h"
#include "sampling/schedulers/classes.h"

namespace maquette::sampling {

namespace {

class Ddpm : public AlphaScheduler {
 public:
  Ddpm(const SchedulerConfig& config, const SchedulerSteps& steps) : AlphaScheduler(config) {
    timesteps_ = steps.timesteps.empty() ? whole_timesteps(config, steps.steps) : steps.timesteps;
  }

  StepResult step(const SchedulerStep& step) override {
    const int t = timestep(step.entry);
    const bool last = step.entry + 1 == static_cast<int>(timesteps_.size());
    const float alpha_bar_t = alpha_bar(t);
    const float alpha_bar_prev =
        last || timestep(step.entry + 1) < 0 ? 1.0f : alpha_bar(timestep(step.entry + 1));
    const float alpha = alpha_bar_t / alpha_bar_prev;
    const float beta = 1 - alpha;
    const Tensor x0 = limited(split(step, alpha_bar_t).picture);

    const float to_picture = std::sqrt(alpha_bar_prev) * beta / (1 - alpha_bar_t);
    const float to_sample = std::sqrt(alpha) * (1 - alpha_bar_prev) / (1 - alpha_bar_t);
    Tensor next = combine({{to_picture, x0}, {to_sample, step.sample}});
    if (t > 0) {
      const float posterior = std::max((1 - alpha_bar_prev) / (1 - alpha_bar_t) * beta, 1e-20f);
      const float variance = config_.variance_type == VarianceType::fixed_large ? beta : posterior;
      next = combine({{1.0f, next}, {std::sqrt(variance), step.noise.step(step.sample.shape())}});
    }
    return {next, x0};
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_ddpm(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, true);
  check_steps(steps.steps, config.betas.train_timesteps, config);
  return std::make_unique<Ddpm>(config, steps);
}

}  // namespace maquette::sampling
