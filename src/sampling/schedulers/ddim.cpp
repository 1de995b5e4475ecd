// DDIM (Song et al. 2021, arXiv:2010.02502, equation 12):
//   x_prev = sqrt(a_prev) x0 + sqrt(1 - a_prev - s^2) eps + s z,
//   s = eta sqrt((1 - a_prev) / (1 - a) (1 - a / a_prev))
#include "sampling/schedulers/alpha_scheduler.h"
#include "sampling/schedulers/classes.h"

namespace maquette::sampling {

namespace {

class Ddim : public AlphaScheduler {
 public:
  Ddim(const SchedulerConfig& config, int steps)
      : AlphaScheduler(config), stride_(config.betas.train_timesteps / steps) {
    timesteps_ = whole_timesteps(config, steps);
  }

  StepResult step(const SchedulerStep& step) override {
    const int t = timestep(step.entry);
    const float alpha = alpha_bar(t);
    const float alpha_prev = alpha_bar_or_final(t - stride_);
    const auto [picture, noise] = split(step, alpha);
    const Tensor x0 = limited(picture);

    const float variance = (1 - alpha_prev) / (1 - alpha) * (1 - alpha / alpha_prev);
    const float deviation = step.eta * std::sqrt(variance);
    const float direction = std::sqrt(1 - alpha_prev - deviation * deviation);
    Tensor next = combine({{std::sqrt(alpha_prev), x0}, {direction, noise}});
    if (step.eta > 0) next = combine({{1.0f, next}, {deviation, step.noise.step(step.sample.shape())}});
    return {next, x0};
  }

 private:
  int stride_;
};

}  // namespace

std::unique_ptr<Scheduler> make_ddim(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, false);
  check_steps(steps.steps, config.betas.train_timesteps, config);
  return std::make_unique<Ddim>(config, steps.steps);
}

}  // namespace maquette::sampling
