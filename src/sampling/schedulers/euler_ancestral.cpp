// Ancestral sampling with Euler steps: DDPM's noise (Ho et al. 2020) in sigma.
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/sigma_scheduler.h"

namespace maquette::sampling {

namespace {

class EulerAncestral : public SigmaScheduler {
 public:
  EulerAncestral(const SchedulerConfig& config, const SchedulerSteps& steps) : SigmaScheduler(config) {
    const Ladder ladder = euler_ladder(config, levels_, steps);
    sigmas_ = with_zero(ladder.sigmas);
    timesteps_ = ladder.timesteps;
  }

  StepResult step(const SchedulerStep& step) override {
    const float from = sigma_at(step.entry);
    const float to = sigma_at(step.entry + 1);
    const Tensor picture = predicted_picture(step.output, step.sample, from);
    const float up = std::sqrt(to * to * (from * from - to * to) / (from * from));
    const float down = std::sqrt(to * to - up * up);
    const Tensor derivative = difference_over(step.sample, picture, from);
    const Tensor stepped = euler_step(step.sample, derivative, down - from);
    return {combine({{1.0f, stepped}, {up, step.noise.step(stepped.shape())}}), picture};
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_euler_ancestral(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, false);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<EulerAncestral>(config, steps);
}

}  // namespace maquette::sampling
