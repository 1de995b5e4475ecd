// DPM-Solver++ for the diffusion SDE in single steps of second order (see samplers/dpmpp_sde.cpp): entries
// alternate between the level and the midpoint in log sigma, with noise from one Brownian motion.
#include <optional>

#include "sampling/rounded_math.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/sigma_scheduler.h"

namespace maquette::sampling {

namespace {

class DpmSde : public SigmaScheduler {
 public:
  DpmSde(const SchedulerConfig& config, const SchedulerSteps& steps) : SigmaScheduler(config) {
    const Ladder ladder = euler_ladder(config, levels_, steps);
    sigmas_ = interleaved(with_zero(ladder.sigmas), false);
    timesteps_.push_back(ladder.timesteps.front());
    for (size_t i = 1; i < ladder.timesteps.size(); ++i) {
      const double before = -std::log(ladder.sigmas[i - 1]);
      const double after = -std::log(ladder.sigmas[i]);
      timesteps_.push_back(
          timestep_of_sigma(std::exp(-(before + (after - before) * 0.5)), levels_.log_sigmas));
      timesteps_.push_back(ladder.timesteps[i]);
    }
  }

  int entries_per_step() const override { return 2; }
  NoiseLevel input_level(int entry) const override {
    return {1, start_.defined() ? middle_ : sigma_at(entry)};
  }

  StepResult step(const SchedulerStep& step) override {
    const bool first = !start_.defined();
    const float sigma = sigma_at(first ? step.entry : step.entry - 1);
    const float next = sigma_at(first ? step.entry + 1 : step.entry);
    const float t = -log_f32(sigma);
    const float t_next = -log_f32(next);
    const float t_middle = t + (t_next - t) * 0.5f;
    const float here = first ? sigma : exp_f32(-t_middle);
    const Tensor picture = predicted_picture(step.output, step.sample, here);
    if (next == 0) {
      return {euler_step(step.sample, difference_over(step.sample, picture, sigma), next - sigma), picture};
    }

    // An ancestral exponential-integrator step from `sigma`: to the midpoint, or with the picture seen there
    // to the end.
    const float from = exp_f32(-t);
    const float to = exp_f32(-(first ? t_middle : t_next));
    const Tensor sample = first ? step.sample : start_;
    const float up = std::min(to, std::sqrt(to * to * (from * from - to * to) / (from * from)));
    const float t_down = -log_f32(std::sqrt(to * to - up * up));
    const Tensor moved = combine({{exp_f32(-t_down) / from, sample}, {-expm1_f32(t - t_down), picture}});
    const Tensor noise = scaled(brownian(step)(from, to), step.s_noise);
    start_ = first ? step.sample : Tensor();
    middle_ = to;
    return {combine({{1.0f, moved}, {up, noise}}), picture};
  }

 private:
  BrownianNoise& brownian(const SchedulerStep& step) {
    if (!brownian_) {
      float least = sigmas_.front();
      for (const float sigma : sigmas_) {
        if (sigma > 0) least = std::min(least, sigma);
      }
      const float most = *std::ranges::max_element(sigmas_);
      const Shape& shape = step.sample.shape();
      brownian_ =
          config_.noise_sampler_seed
              ? BrownianNoise(shape, least, most, {*config_.noise_sampler_seed}, step.noise.settings().kind)
              : step.noise.brownian(shape, least, most);
    }
    return *brownian_;
  }

  std::optional<BrownianNoise> brownian_;
  float middle_ = 0;
  Tensor start_;
};

}  // namespace

std::unique_ptr<Scheduler> make_dpm_sde(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, false);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<DpmSde>(config, steps);
}

}  // namespace maquette::sampling
