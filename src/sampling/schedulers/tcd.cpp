// Trajectory consistency distillation (Zheng et al. 2024, arXiv:2402.19159, algorithm 4, strategic stochastic
// sampling): jump to s = floor((1 - eta) t_prev), then add noise up to t_prev.
#include "sampling/schedulers/alpha_scheduler.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/distilled_timesteps.h"

namespace maquette::sampling {

namespace {

class Tcd : public AlphaScheduler {
 public:
  Tcd(const SchedulerConfig& config, const SchedulerSteps& steps) : AlphaScheduler(config) {
    timesteps_ = steps.timesteps.empty() ? distilled_timesteps(config, steps.steps) : steps.timesteps;
  }

  StepResult step(const SchedulerStep& step) override {
    const bool last = step.entry + 1 == static_cast<int>(timesteps_.size());
    const int t_prev = last ? 0 : timestep(step.entry + 1);
    const int s = static_cast<int>(
        std::floor(static_cast<float>(1 - static_cast<double>(step.eta)) * static_cast<float>(t_prev)));
    const float alpha_prev = alpha_bar_or_final(t_prev);
    const float alpha_s = alpha_bar(s);
    const auto [picture, noise] = split(step, alpha_bar(timestep(step.entry)));

    Tensor next = combine({{std::sqrt(alpha_s), picture}, {std::sqrt(1 - alpha_s), noise}});
    if (step.eta > 0 && !last) {
      const float keep = alpha_prev / alpha_s;
      next = combine({{std::sqrt(keep), next}, {std::sqrt(1 - keep), step.noise.step(step.sample.shape())}});
    }
    return {next, picture};
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_tcd(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, true);
  return std::make_unique<Tcd>(config, steps);
}

}  // namespace maquette::sampling
