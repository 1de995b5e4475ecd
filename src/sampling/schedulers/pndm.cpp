// PNDM (Liu et al. 2022, arXiv:2202.09778): pseudo Runge-Kutta steps (equation 13) until four slopes are
// known, then pseudo linear multistep (equation 12), with the transfer of equation 9. Stable Diffusion's
// configurations skip the Runge-Kutta part; a doubled second timestep then makes the first step second order.
#include <vector>

#include "sampling/numeric.h"
#include "sampling/samplers/adams_bashforth.h"
#include "sampling/schedulers/alpha_scheduler.h"
#include "sampling/schedulers/classes.h"

namespace maquette::sampling {

namespace {

constexpr size_t kOrder = 4;

class Pndm : public AlphaScheduler {
 public:
  Pndm(const SchedulerConfig& config, int steps)
      : AlphaScheduler(config), stride_(config.betas.train_timesteps / steps) {
    std::vector<double> rising = whole_timesteps(config, steps);
    std::ranges::reverse(rising);
    if (config.skip_prk_steps) {
      list_multistep(rising);
    } else {
      list_runge_kutta(rising);
    }
  }

  StepResult step(const SchedulerStep& step) override {
    const int t = timestep(step.entry);
    return counter_ < static_cast<int>(runge_kutta_.size()) ? runge_kutta_step(step, t) : multistep(step, t);
  }

 private:
  // The second timestep from the top comes twice: [..., a, b, c] becomes c, b, b, a, ...
  void list_multistep(const std::vector<double>& rising) {
    timesteps_.assign(rising.rbegin(), rising.rend());
    if (rising.size() >= 2) timesteps_.insert(timesteps_.begin() + 1, timesteps_[1]);
  }

  // The four highest timesteps take four evaluations each: at the point, twice half a stride below, at the
  // next.
  void list_runge_kutta(const std::vector<double>& rising) {
    if (rising.size() < kOrder) {
      throw Error(ErrorCode::usage, "cannot sample in {} steps with the Runge-Kutta steps of PNDM",
                  rising.size())
          .hint("use 4 steps or more, or a configuration with skip_prk_steps");
    }
    std::vector<double> points;
    for (size_t i = rising.size() - kOrder; i < rising.size(); ++i) {
      points.push_back(rising[i]);
      points.push_back(rising[i] + stride_ / 2);
    }
    points.pop_back();
    std::vector<double> doubled;
    for (const double point : points) doubled.insert(doubled.end(), {point, point});
    runge_kutta_.assign(doubled.rbegin() + 1, doubled.rend() - 1);
    timesteps_ = runge_kutta_;
    timesteps_.insert(timesteps_.end(), rising.rbegin() + 3, rising.rend());
  }

  StepResult runge_kutta_step(const SchedulerStep& step, int t) {
    const int to = t - (counter_ % 2 ? 0 : stride_ / 2);
    const int from = static_cast<int>(runge_kutta_[static_cast<size_t>(counter_ / 4 * 4)]);
    Tensor slope = step.output;
    switch (counter_ % 4) {
      case 0:
        gathered_ = scaled(step.output, 1.0f / 6);
        remember_slope(history_, step.output);
        start_ = step.sample;
        break;
      case 1:
      case 2: gathered_ = combine({{1.0f, gathered_}, {1.0f / 3, step.output}}); break;
      default: slope = combine({{1.0f, gathered_}, {1.0f / 6, step.output}}); break;
    }
    ++counter_;
    return transfer(start_.defined() ? start_ : step.sample, slope, from, to);
  }

  StepResult multistep(const SchedulerStep& step, int t) {
    int from = t;
    int to = t - stride_;
    if (counter_ != 1) {
      remember_slope(history_, step.output);
    } else {
      from = t + stride_;
      to = t;
    }

    Tensor slope;
    Tensor sample = step.sample;
    if (history_.size() == 1 && counter_ == 0) {
      slope = step.output;
      start_ = step.sample;
    } else if (history_.size() == 1 && counter_ == 1) {
      slope = divided(combine({{1.0f, step.output}, {1.0f, history_[0]}}), 2);
      sample = start_;
      start_ = Tensor();
    } else {
      slope = adams_bashforth(history_);
    }
    ++counter_;
    return transfer(sample, slope, from, to);
  }

  // Equation 9, from the sample and a predicted noise (or velocity) at `from`.
  StepResult transfer(const Tensor& sample, const Tensor& output, int from, int to) const {
    const float alpha = alpha_bar(from);
    const float alpha_to = alpha_bar_or_final(to);
    const float beta = 1 - alpha;
    const float beta_to = 1 - alpha_to;
    const Tensor noise = config_.prediction == Prediction::v_prediction
                             ? combine({{std::sqrt(alpha), output}, {std::sqrt(beta), sample}})
                             : output;
    const float keep = std::sqrt(alpha_to / alpha);
    const float divisor = alpha * std::sqrt(beta_to) + std::sqrt(alpha * beta * alpha_to);
    const Tensor moved = divided(scaled(noise, alpha_to - alpha), divisor);
    return {combine({{keep, sample}, {-1.0f, moved}}),
            divided(combine({{1.0f, sample}, {-std::sqrt(beta), noise}}), std::sqrt(alpha))};
  }

  int stride_;
  int counter_ = 0;
  std::vector<double> runge_kutta_;  // the entries of that part
  std::vector<Tensor> history_;      // predicted noises, the newest last
  Tensor gathered_;
  Tensor start_;
};

}  // namespace

std::unique_ptr<Scheduler> make_pndm(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, false);
  check_steps(steps.steps, config.betas.train_timesteps, config);
  return std::make_unique<Pndm>(config, steps.steps);
}

}  // namespace maquette::sampling
