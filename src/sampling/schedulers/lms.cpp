// The linear multistep method of order 4 for uneven steps (see samplers/lms.cpp). Where sampling begins in
// the middle of the schedule, diffusers takes the weights of order 4 at once although the history is still
// short; so does this.
#include "sampling/samplers/lms_weights.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/sigma_scheduler.h"

namespace maquette::sampling {

namespace {

constexpr int kOrder = 4;

class Lms : public SigmaScheduler {
 public:
  Lms(const SchedulerConfig& config, const SchedulerSteps& steps) : SigmaScheduler(config) {
    const Ladder ladder = euler_ladder(config, levels_, steps);
    sigmas_ = with_zero(ladder.sigmas);
    for (const double t : ladder.timesteps) timesteps_.push_back(static_cast<float>(t));
  }

  StepResult step(const SchedulerStep& step) override {
    const float sigma = sigma_at(step.entry);
    const Tensor picture = predicted_picture(step.output, step.sample, sigma);
    slopes_.insert(slopes_.begin(), difference_over(step.sample, picture, sigma));
    if (slopes_.size() > kOrder) slopes_.pop_back();

    const auto weights =
        lms_weights(sigmas_, static_cast<size_t>(step.entry), std::min(step.entry + 1, kOrder));
    std::vector<std::pair<float, const Tensor*>> terms;
    for (size_t i = 0; i < std::min(slopes_.size(), weights.size()); ++i) {
      terms.emplace_back(static_cast<float>(weights[i]), &slopes_[i]);
    }
    const Tensor change = combine(terms);
    return {combine({{1.0f, step.sample}, {1.0f, change}}), picture};
  }

 private:
  std::vector<Tensor> slopes_;  // the newest first
};

}  // namespace

std::unique_ptr<Scheduler> make_lms(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, false);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<Lms>(config, steps);
}

}  // namespace maquette::sampling
