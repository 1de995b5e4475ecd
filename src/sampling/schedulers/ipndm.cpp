// Improved PNDM on the cosine schedule of v-diffusion (Liu et al. 2022, arXiv:2202.09778; Salimans and Ho
// 2022, arXiv:2202.00512, section 4): fourth-order Adams-Bashforth on the predicted noise. Timesteps run from
// 1 to 0; the network must predict a velocity on that schedule, which Stable Diffusion's do not.
#include <cmath>
#include <numbers>

#include "sampling/numeric.h"
#include "sampling/samplers/adams_bashforth.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/spacing.h"

namespace maquette::sampling {

namespace {

class Ipndm : public Scheduler {
 public:
  explicit Ipndm(int steps) {
    auto times = linspace_f32(1, 0, steps + 1);
    times.back() = 0;
    constexpr float kHalfPi = std::numbers::pi_v<float> / 2;
    for (const float time : times) {
      const float s = std::sin(time * kHalfPi);
      betas_.push_back(s * s);
      alphas_.push_back(std::sqrt(1 - betas_.back() * betas_.back()));
      timesteps_.push_back(std::atan2(betas_.back(), alphas_.back()) / std::numbers::pi_v<float> * 2);
    }
    timesteps_.pop_back();
  }

  NoiseLevel level(int entry) const override {
    return {alphas_[static_cast<size_t>(entry)], betas_[static_cast<size_t>(entry)]};
  }

  StepResult step(const SchedulerStep& step) override {
    const auto [signal, noise] = level(step.entry);
    const auto [signal_next, noise_next] = level(step.entry + 1);
    remember_slope(history_, combine({{noise, step.sample}, {signal, step.output}}));
    const Tensor slope = adams_bashforth(history_);
    const Tensor picture = divided(combine({{1.0f, step.sample}, {-noise, slope}}), std::max(signal, 1e-8f));
    return {combine({{signal_next, picture}, {noise_next, slope}}), picture};
  }

 private:
  std::vector<float> alphas_;
  std::vector<float> betas_;
  std::vector<Tensor> history_;
};

}  // namespace

std::unique_ptr<Scheduler> make_ipndm(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, false);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<Ipndm>(steps.steps);
}

}  // namespace maquette::sampling
