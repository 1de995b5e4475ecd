// Heun's method (Karras et al. 2022, arXiv:2206.00364, algorithm 2): entries alternate between the Euler step
// and its correction with the slope at the other end; the last step is Euler's alone.
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/sigma_scheduler.h"

namespace maquette::sampling {

namespace {

class Heun : public SigmaScheduler {
 public:
  Heun(const SchedulerConfig& config, const SchedulerSteps& steps) : SigmaScheduler(config) {
    const Ladder ladder = euler_ladder(config, levels_, steps);
    sigmas_ = interleaved(with_zero(ladder.sigmas), false);
    timesteps_.push_back(static_cast<float>(ladder.timesteps.front()));
    for (size_t i = 1; i < ladder.timesteps.size(); ++i) {
      timesteps_.insert(timesteps_.end(), 2, static_cast<float>(ladder.timesteps[i]));
    }
  }

  int entries_per_step() const override { return 2; }

  StepResult step(const SchedulerStep& step) override {
    const bool first = !start_.defined();
    const float sigma = sigma_at(first ? step.entry : step.entry - 1);
    const float next = sigma_at(first ? step.entry + 1 : step.entry);
    const float here = first ? sigma : next;
    Tensor picture = predicted_picture(step.output, step.sample, here);
    if (config_.clip_sample)
      picture = clamped(picture, -config_.clip_sample_range, config_.clip_sample_range);
    const Tensor slope = difference_over(step.sample, picture, here);
    if (first) {
      slope_ = slope;
      start_ = step.sample;
      return {euler_step(step.sample, slope, next - sigma), picture};
    }
    const Tensor mean = divided(combine({{1.0f, slope_}, {1.0f, slope}}), 2);
    const Tensor from = start_;
    start_ = Tensor();
    return {euler_step(from, mean, next - sigma), picture};
  }

 private:
  Tensor slope_;
  Tensor start_;  // where the step began, between its two entries
};

}  // namespace

std::unique_ptr<Scheduler> make_heun(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, true);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<Heun>(config, steps);
}

}  // namespace maquette::sampling
