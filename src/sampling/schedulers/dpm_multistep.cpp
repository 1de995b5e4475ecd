// DPM-Solver++ (2M) and its relatives, orders 1 to 3 (Lu et al. 2022, arXiv:2211.01095, algorithm 2; for the
// noise- predicting form arXiv:2206.00927): the divided differences come from earlier steps.
#include "sampling/numeric.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/dpm_updates.h"
#include "sampling/schedulers/sigma_scheduler.h"

namespace maquette::sampling {

namespace {

class DpmMultistep : public LambdaScheduler {
 public:
  DpmMultistep(const SchedulerConfig& config, const SchedulerSteps& steps)
      : LambdaScheduler(config, kLastAlpha) {
    if (predicts_noise(config.algorithm) && config.final_sigma == FinalSigma::zero) {
      throw Error(ErrorCode::usage, "cannot step to sigma 0 with a DPM-Solver that predicts noise")
          .hint("set final_sigmas_type to sigma_min, or use a ++ algorithm");
    }
    const Ladder ladder =
        solver_ladder(config, levels_,
                      steps.timesteps.empty() ? solver_timesteps(config, steps.steps, timesteps_in_use())
                                              : steps.timesteps);
    timesteps_ = ladder.timesteps;
    sigmas_.assign(ladder.sigmas.begin(), ladder.sigmas.end());
    sigmas_.push_back(final_sigma());
  }

  StepResult step(const SchedulerStep& step) override {
    const Tensor picture = predicted_picture(step);
    remember(converted(step, picture), static_cast<size_t>(config_.solver_order));
    Tensor noise;
    if (is_sde(config_.algorithm)) noise = step.noise.step(step.sample.shape());
    const DpmStep move{.algorithm = config_.algorithm,
                       .from = point(step.entry),
                       .to = point(step.entry + 1),
                       .sample = step.sample,
                       .noise = noise.defined() ? &noise : nullptr};

    // Few steps end at lower order, and a step to sigma = 0 is always of first order.
    const bool few = config_.lower_order_final && timesteps_.size() < 15;
    const bool last = step.entry == last_entry();
    const bool first_order =
        last && (config_.euler_at_final || few || config_.final_sigma == FinalSigma::zero);
    const bool second_order = step.entry == last_entry() - 1 && few;
    const int known = static_cast<int>(outputs_.size());
    if (known == 1 || first_order) return {dpm_first_order(move, outputs_[0]), picture};
    if (known == 2 || second_order) return {second(move, step.entry), picture};
    return {third(move, step.entry), picture};
  }

 private:
  // Timesteps whose lambda is above lambda_min_clipped.
  int timesteps_in_use() const {
    int clipped = 0;
    for (const float alpha_bar : levels_.alphas_cumprod) {
      const float lambda = std::log(std::sqrt(alpha_bar)) - std::log(std::sqrt(1 - alpha_bar));
      if (lambda < config_.lambda_min_clipped) ++clipped;
    }
    return config_.betas.train_timesteps - clipped;
  }

  Tensor converted(const SchedulerStep& step, const Tensor& picture) const {
    if (!predicts_noise(config_.algorithm)) return picture;
    return config_.thresholding ? noise_of(step, picture) : predicted_noise(step);
  }

  Tensor second(const DpmStep& move, int entry) const {
    const float h = move.to.lambda - move.from.lambda;
    const float r0 = (move.from.lambda - point(entry - 1).lambda) / h;
    const Tensor d1 = scaled(combine({{1.0f, outputs_[0]}, {-1.0f, outputs_[1]}}), 1.0f / r0);
    return dpm_second_order(move, outputs_[0], d1, config_.heun);
  }

  Tensor third(const DpmStep& move, int entry) const {
    const float h = move.to.lambda - move.from.lambda;
    const float lambda_1 = point(entry - 1).lambda;
    const float r0 = (move.from.lambda - lambda_1) / h;
    const float r1 = (lambda_1 - point(entry - 2).lambda) / h;
    const Tensor d1_0 = scaled(combine({{1.0f, outputs_[0]}, {-1.0f, outputs_[1]}}), 1.0f / r0);
    const Tensor d1_1 = scaled(combine({{1.0f, outputs_[1]}, {-1.0f, outputs_[2]}}), 1.0f / r1);
    const Tensor change = combine({{1.0f, d1_0}, {-1.0f, d1_1}});
    const Tensor d1 = combine({{1.0f, d1_0}, {r0 / (r0 + r1), change}});
    const Tensor d2 = scaled(change, 1.0f / (r0 + r1));
    return dpm_third_order(move, outputs_[0], d1, d2);
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_dpm_multistep(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, true);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<DpmMultistep>(config, steps);
}

}  // namespace maquette::sampling
