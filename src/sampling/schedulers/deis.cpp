// DEIS in rho = sigma / alpha with the logarithm as time (log-rho Adams-Bashforth; Zhang and Chen 2023,
// arXiv:2204.13902): the predicted noise is a polynomial in log rho through the latest answers, integrated
// exactly.
#include "sampling/rounded_math.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/lambda_scheduler.h"

namespace maquette::sampling {

namespace {

// The antiderivative at t of the Lagrange polynomial in log t that is 1 at b and 0 at c.
float antiderivative(float t, float b, float c) {
  return t * (-log_f32(c) + log_f32(t) - 1) / (log_f32(b) - log_f32(c));
}

// The same that is 1 at b and 0 at c and d.
float antiderivative(float t, float b, float c, float d) {
  const float log_t = log_f32(t);
  const float log_c = log_f32(c);
  const float log_d = log_f32(d);
  const float numerator =
      t * (log_c * (log_d - log_t + 1) - log_d * log_t + log_d + log_t * log_t - 2 * log_t + 2);
  return numerator / ((log_f32(b) - log_c) * (log_f32(b) - log_d));
}

class Deis : public LambdaScheduler {
 public:
  Deis(const SchedulerConfig& config, const SchedulerSteps& steps) : LambdaScheduler(config, {}) {
    const Ladder ladder =
        solver_ladder(config, levels_, solver_timesteps(config, steps.steps, config.betas.train_timesteps));
    timesteps_ = ladder.timesteps;
    sigmas_.assign(ladder.sigmas.begin(), ladder.sigmas.end());
    sigmas_.push_back(config.sigma_rule == SigmaRule::interpolated ? levels_.sigmas.front() : sigmas_.back());
  }

  StepResult step(const SchedulerStep& step) override {
    const Tensor picture = predicted_picture(step);
    remember(noise_of(step, picture), static_cast<size_t>(config_.solver_order));
    const bool few = config_.lower_order_final && timesteps_.size() < 15;
    const int known = static_cast<int>(outputs_.size());
    if (known == 1 || (few && step.entry == last_entry())) return {first(step), picture};
    if (known == 2 || (few && step.entry == last_entry() - 1)) return {second(step), picture};
    return {third(step), picture};
  }

 private:
  Tensor first(const SchedulerStep& step) const {
    const LambdaPoint from = point(step.entry);
    const LambdaPoint to = point(step.entry + 1);
    const float h = to.lambda - from.lambda;
    return combine({{to.alpha / from.alpha, step.sample}, {-(to.sigma * (exp_f32(h) - 1.0f)), outputs_[0]}});
  }
  Tensor second(const SchedulerStep& step) const {
    const LambdaPoint to = point(step.entry + 1);
    const float t = rho(step.entry + 1), s0 = rho(step.entry), s1 = rho(step.entry - 1);
    const float c0 = antiderivative(t, s0, s1) - antiderivative(s0, s0, s1);
    const float c1 = antiderivative(t, s1, s0) - antiderivative(s0, s1, s0);
    const Tensor scaled_x = divided(step.sample, point(step.entry).alpha);
    return scaled(combine({{1.0f, scaled_x}, {c0, outputs_[0]}, {c1, outputs_[1]}}), to.alpha);
  }
  Tensor third(const SchedulerStep& step) const {
    const LambdaPoint to = point(step.entry + 1);
    const float t = rho(step.entry + 1), s0 = rho(step.entry), s1 = rho(step.entry - 1),
                s2 = rho(step.entry - 2);
    const float c0 = antiderivative(t, s0, s1, s2) - antiderivative(s0, s0, s1, s2);
    const float c1 = antiderivative(t, s1, s2, s0) - antiderivative(s0, s1, s2, s0);
    const float c2 = antiderivative(t, s2, s0, s1) - antiderivative(s0, s2, s0, s1);
    const Tensor scaled_x = divided(step.sample, point(step.entry).alpha);
    return scaled(combine({{1.0f, scaled_x}, {c0, outputs_[0]}, {c1, outputs_[1]}, {c2, outputs_[2]}}),
                  to.alpha);
  }
  float rho(int entry) const {
    const LambdaPoint p = point(entry);
    return p.sigma / p.alpha;
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_deis(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, false);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<Deis>(config, steps);
}

}  // namespace maquette::sampling
