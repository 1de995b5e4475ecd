// Latent consistency models (Luo et al. 2023, arXiv:2310.04378, algorithm 3): the consistency function with
// its boundary scaling c_skip, c_out (section 4.1), then fresh noise of the next level.
#include "sampling/numeric.h"
#include "sampling/schedulers/alpha_scheduler.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/distilled_timesteps.h"

namespace maquette::sampling {

std::vector<double> distilled_timesteps(const SchedulerConfig& config, int steps) {
  const int train = config.betas.train_timesteps;
  const int original = config.original_inference_steps;
  if (original > train) {
    throw Error(ErrorCode::bad_file, "cannot use {} original inference steps of {}", original, train);
  }
  check_steps(steps, original, config);

  // Distillation knew the timesteps k - 1, 2k - 1, ...; the steps are spread over them, the highest first.
  const int stride = train / original;
  std::vector<double> timesteps;
  const double gap = static_cast<double>(original) / steps;
  for (int i = 0; i < steps; ++i) {
    const int index = static_cast<int>(std::floor(i * gap));
    timesteps.push_back(static_cast<double>(original - index) * stride - 1);
  }
  return timesteps;
}

namespace {

class Lcm : public AlphaScheduler {
 public:
  Lcm(const SchedulerConfig& config, const SchedulerSteps& steps) : AlphaScheduler(config) {
    timesteps_ = steps.timesteps.empty() ? distilled_timesteps(config, steps.steps) : steps.timesteps;
  }

  StepResult step(const SchedulerStep& step) override {
    const bool last = step.entry + 1 == static_cast<int>(timesteps_.size());
    const int t = timestep(step.entry);
    const float alpha_prev = last ? alpha_bar(t) : alpha_bar_or_final(timestep(step.entry + 1));
    const Tensor x0 = limited(split(step, alpha_bar(t)).picture);

    constexpr float kSigmaData = 0.5f;
    const auto scaled_t = static_cast<float>(t * config_.timestep_scaling);
    const float power = scaled_t * scaled_t + kSigmaData * kSigmaData;
    const float c_skip = kSigmaData * kSigmaData / power;
    const float c_out = scaled_t / std::sqrt(power);
    const Tensor denoised = combine({{c_out, x0}, {c_skip, step.sample}});
    if (last) return {denoised, denoised};
    return {combine({{std::sqrt(alpha_prev), denoised},
                     {std::sqrt(1 - alpha_prev), step.noise.step(step.sample.shape())}}),
            denoised};
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_lcm(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, true);
  return std::make_unique<Lcm>(config, steps);
}

}  // namespace maquette::sampling
