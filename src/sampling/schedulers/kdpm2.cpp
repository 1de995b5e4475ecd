// The midpoint method with the midpoint in log sigma (DPM-Solver-2, Lu et al. 2022, arXiv:2206.00927, on the
// probability flow of Karras et al.): entries alternate between the level and the midpoint.
#include "sampling/rounded_math.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/sigma_scheduler.h"

namespace maquette::sampling {

namespace {

class Kdpm2 : public SigmaScheduler {
 public:
  Kdpm2(const SchedulerConfig& config, const SchedulerSteps& steps) : SigmaScheduler(config) {
    const Ladder ladder = euler_ladder(config, levels_, steps);
    const std::vector<float> sigmas = with_zero(ladder.sigmas);
    sigmas_ = interleaved(sigmas, true);

    // middles[i] lies between the levels i - 1 and i; there is none before the first, and the last is at 0.
    std::vector<float> middles = {0};
    for (size_t i = 1; i < sigmas.size(); ++i) {
      const float here = log_f32(sigmas[i]);
      const float before = log_f32(sigmas[i - 1]);
      middles.push_back(sigmas[i] == 0 ? 0 : exp_f32(before - (before - here) * 0.5f));
    }
    middles_ = interleaved(middles, true);

    const bool whole = config.sigma_rule == SigmaRule::karras;
    const auto listed = [whole](double t) { return whole ? std::nearbyint(t) : t; };
    timesteps_.push_back(listed(ladder.timesteps.front()));
    for (size_t i = 1; i < ladder.timesteps.size(); ++i) {
      timesteps_.push_back(timestep_of_sigma(middles[i], levels_.log_sigmas));
      timesteps_.push_back(listed(ladder.timesteps[i]));
    }
  }

  int entries_per_step() const override { return 2; }
  NoiseLevel input_level(int entry) const override {
    const bool at_middle = start_.defined();
    return {1, at_middle ? middles_[static_cast<size_t>(entry)] : sigma_at(entry)};
  }

  StepResult step(const SchedulerStep& step) override {
    const bool first = !start_.defined();
    const auto i = static_cast<size_t>(step.entry);
    const float sigma = first ? sigmas_[i] : sigmas_[i - 1];
    const float middle = first ? middles_[i + 1] : middles_[i];
    const float next = first ? sigmas_[i + 1] : sigmas_[i];
    const float here = first ? sigma : middle;
    const Tensor picture = predicted_picture(step.output, step.sample, here);
    const Tensor slope = difference_over(step.sample, picture, here);
    if (first) {
      start_ = step.sample;
      return {euler_step(step.sample, slope, middle - sigma), picture};
    }
    const Tensor from = start_;
    start_ = Tensor();
    return {euler_step(from, slope, next - sigma), picture};
  }

 private:
  std::vector<float> middles_;
  Tensor start_;
};

}  // namespace

std::unique_ptr<Scheduler> make_kdpm2(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, false);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<Kdpm2>(config, steps);
}

}  // namespace maquette::sampling
