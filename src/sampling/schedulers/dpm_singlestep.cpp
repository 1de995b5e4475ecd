// DPM-Solver++ in single steps of order 1 to 3 (Lu et al. 2022, arXiv:2211.01095, algorithm 1;
// arXiv:2206.00927, algorithms 1 and 2): a step of order k spans k entries and starts again from the latent
// before them.
#include <algorithm>

#include "sampling/numeric.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/dpm_updates.h"

namespace maquette::sampling {

namespace {

// Which order the update after each entry has: 1, 2, 3, 1, 2, 3, ... with lower orders at the end.
std::vector<int> order_list(int order, int steps, const SchedulerConfig& config) {
  std::vector<int> orders;
  const bool lower = config.lower_order_final || steps % order != 0 || config.final_sigma == FinalSigma::zero;
  const auto repeat = [&orders](int length, int times) {
    for (int time = 0; time < times; ++time) {
      for (int k = 1; k <= length; ++k) orders.push_back(k);
    }
  };
  if (order == 1 || !lower) {
    repeat(order, steps / order);
  } else if (order == 2) {
    repeat(2, steps % 2 == 0 ? steps / 2 - 1 : steps / 2);
    orders.insert(orders.end(), steps % 2 == 0 ? 2 : 1, 1);
  } else {
    repeat(3, steps % 3 == 0 ? steps / 3 - 1 : steps / 3);
    if (steps % 3 != 1) orders.insert(orders.end(), {1, 2});
    if (steps % 3 != 2) orders.push_back(1);
  }
  if (config.final_sigma == FinalSigma::zero) orders.back() = 1;
  return orders;
}

class DpmSinglestep : public LambdaScheduler {
 public:
  DpmSinglestep(const SchedulerConfig& config, const SchedulerSteps& steps) : LambdaScheduler(config, {}) {
    if (predicts_noise(config.algorithm) && config.final_sigma == FinalSigma::zero) {
      throw Error(ErrorCode::usage, "cannot step to sigma 0 with a DPM-Solver that predicts noise")
          .hint("set final_sigmas_type to sigma_min, or use a ++ algorithm");
    }
    if (config.algorithm == DpmAlgorithm::sde_dpmsolver) {
      throw Error(ErrorCode::usage, "there is no sde-dpmsolver in single steps").hint("use sde-dpmsolver++");
    }
    const Ladder ladder = solver_ladder(
        config, levels_, steps.timesteps.empty() ? own_timesteps(steps.steps) : steps.timesteps);
    timesteps_ = ladder.timesteps;
    sigmas_.assign(ladder.sigmas.begin(), ladder.sigmas.end());
    sigmas_.push_back(final_sigma());
    orders_ = order_list(config.solver_order, static_cast<int>(timesteps_.size()), config);
  }

  StepResult step(const SchedulerStep& step) override {
    const Tensor picture = predicted_picture(step);
    Tensor output = picture;
    if (predicts_noise(config_.algorithm))
      output = config_.thresholding ? noise_of(step, picture) : predicted_noise(step);
    remember(output, static_cast<size_t>(config_.solver_order));
    Tensor noise;
    if (is_sde(config_.algorithm)) noise = step.noise.step(step.sample.shape());

    // Where sampling began in the middle of a group, the history decides the order.
    const int order = std::min(orders_[static_cast<size_t>(step.entry)], static_cast<int>(outputs_.size()));
    if (order == 1) start_ = step.sample;
    const DpmStep move{.algorithm = config_.algorithm,
                       .from = point(step.entry - order + 1),
                       .to = point(step.entry + 1),
                       .sample = start_,
                       .noise = noise.defined() ? &noise : nullptr};
    if (order == 1) return {dpm_first_order(move, outputs_[0]), picture};
    if (order == 2) return {second(move, step.entry), picture};
    return {third(move, step.entry), picture};
  }

 private:
  std::vector<double> own_timesteps(int steps) const {
    int clipped = 0;
    for (const float alpha_bar : levels_.alphas_cumprod) {
      const float lambda = std::log(std::sqrt(alpha_bar)) - std::log(std::sqrt(1 - alpha_bar));
      if (lambda < config_.lambda_min_clipped) ++clipped;
    }
    SchedulerConfig linear = config_;
    linear.spacing = Spacing::linspace;
    return solver_timesteps(linear, steps, config_.betas.train_timesteps - clipped);
  }

  Tensor second(const DpmStep& move, int entry) const {
    const float h = move.to.lambda - move.from.lambda;
    const float r0 = (point(entry).lambda - move.from.lambda) / h;
    const Tensor d1 = scaled(combine({{1.0f, outputs_[0]}, {-1.0f, outputs_[1]}}), 1.0f / r0);
    return dpm_second_order(move, outputs_[1], d1, config_.heun);
  }

  Tensor third(const DpmStep& move, int entry) const {
    const float h = move.to.lambda - move.from.lambda;
    const float r0 = (point(entry).lambda - move.from.lambda) / h;
    const float r1 = (point(entry - 1).lambda - move.from.lambda) / h;
    const Tensor& d0 = outputs_[2];
    const Tensor d1_0 = scaled(combine({{1.0f, outputs_[1]}, {-1.0f, outputs_[2]}}), 1.0f / r1);
    const Tensor d1_1 = scaled(combine({{1.0f, outputs_[0]}, {-1.0f, outputs_[2]}}), 1.0f / r0);
    if (!config_.heun) return dpm_second_order(move, d0, d1_1, true);
    const Tensor d1 = divided(combine({{r0, d1_0}, {-r1, d1_1}}), r0 - r1);
    const Tensor d2 = divided(scaled(combine({{1.0f, d1_1}, {-1.0f, d1_0}}), 2.0f), r0 - r1);
    return dpm_third_order(move, d0, d1, d2);
  }

  std::vector<int> orders_;
  Tensor start_;  // the latent before the group of entries
};

}  // namespace

std::unique_ptr<Scheduler> make_dpm_singlestep(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, true);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<DpmSinglestep>(config, steps);
}

}  // namespace maquette::sampling
