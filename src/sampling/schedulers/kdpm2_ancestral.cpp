// The midpoint steps of KDPM2 down below the next level, then new noise up to it.
#include "sampling/rounded_math.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/sigma_scheduler.h"

namespace maquette::sampling {

namespace {

class Kdpm2Ancestral : public SigmaScheduler {
 public:
  Kdpm2Ancestral(const SchedulerConfig& config, const SchedulerSteps& steps) : SigmaScheduler(config) {
    const Ladder ladder = euler_ladder(config, levels_, steps);
    const std::vector<float> sigmas = with_zero(ladder.sigmas);
    std::vector<float> up, down, middles;
    for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
      const float from = sigmas[i];
      const float to = sigmas[i + 1];
      up.push_back(std::sqrt(to * to * (from * from - to * to) / (from * from)));
      down.push_back(std::sqrt(to * to - up[i] * up[i]));
      const float log_from = log_f32(from);
      const float log_down = log_f32(down[i]);
      middles.push_back(to == 0 ? 0 : exp_f32(log_down - (log_down - log_from) * 0.5f));
    }
    for (std::vector<float>* list : {&up, &down, &middles}) list->push_back(0);
    sigmas_ = interleaved(sigmas, true);
    up_ = interleaved(up, true);
    down_ = interleaved(down, true);
    middles_ = interleaved(middles, true);

    const bool whole = config.sigma_rule == SigmaRule::karras;
    const auto listed = [whole](double t) { return whole ? std::nearbyint(t) : t; };
    timesteps_.push_back(listed(ladder.timesteps.front()));
    for (size_t i = 1; i < ladder.timesteps.size(); ++i) {
      timesteps_.push_back(timestep_of_sigma(middles[i - 1], levels_.log_sigmas));
      timesteps_.push_back(listed(ladder.timesteps[i]));
    }
  }

  int entries_per_step() const override { return 2; }
  NoiseLevel input_level(int entry) const override {
    const bool at_middle = start_.defined();
    return {1, at_middle ? middles_[static_cast<size_t>(entry) - 1] : sigma_at(entry)};
  }

  StepResult step(const SchedulerStep& step) override {
    const bool first = !start_.defined();
    const auto i = static_cast<size_t>(first ? step.entry : step.entry - 1);
    const float sigma = sigmas_[i];
    const float here = first ? sigma : middles_[i];
    const Tensor picture = predicted_picture(step.output, step.sample, here);
    const Tensor slope = difference_over(step.sample, picture, here);
    if (first) {
      start_ = step.sample;
      return {euler_step(step.sample, slope, middles_[i] - sigma), picture};
    }
    const Tensor from = start_;
    start_ = Tensor();
    const Tensor stepped = euler_step(from, slope, down_[i] - sigma);
    return {combine({{1.0f, stepped}, {up_[i], step.noise.step(stepped.shape())}}), picture};
  }

 private:
  std::vector<float> up_, down_, middles_;
  Tensor start_;
};

}  // namespace

std::unique_ptr<Scheduler> make_kdpm2_ancestral(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, false);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<Kdpm2Ancestral>(config, steps);
}

}  // namespace maquette::sampling
