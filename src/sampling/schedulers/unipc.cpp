// UniPC (Zhao et al. 2023, arXiv:2302.04867), predicting the picture or the noise: a predictor, and a
// corrector that runs when the next answer of the network is known. The weights are those of
// samplers/unipc.cpp.
#include <algorithm>

#include "sampling/samplers/unipc_weights.h"
#include "sampling/schedulers/classes.h"
#include "sampling/schedulers/lambda_scheduler.h"
#include "sampling/schedulers/sigma_scheduler.h"

namespace maquette::sampling {

namespace {

class UniPc : public LambdaScheduler {
 public:
  UniPc(const SchedulerConfig& config, const SchedulerSteps& steps) : LambdaScheduler(config, kLastAlpha) {
    const Ladder ladder =
        solver_ladder(config, levels_, solver_timesteps(config, steps.steps, config.betas.train_timesteps));
    timesteps_ = ladder.timesteps;
    sigmas_.assign(ladder.sigmas.begin(), ladder.sigmas.end());
    const bool repeats =
        config.sigma_rule != SigmaRule::interpolated && config.final_sigma == FinalSigma::sigma_min;
    sigmas_.push_back(repeats ? sigmas_.back() : final_sigma());
  }

  StepResult step(const SchedulerStep& step) override {
    const Tensor picture = predicted_picture(step);
    const Tensor output = config_.predict_x0 ? picture : predicted_noise(step);

    // The corrector replaces the latent by a better one now that the answer at its level is known.
    const bool disabled = std::ranges::count(config_.disable_corrector, step.entry - 1) > 0;
    Tensor sample = step.sample;
    if (step.entry > 0 && last_sample_.defined() && !disabled) {
      sample = update(last_sample_, {.from = step.entry - 1, .order = order_}, &output);
    }
    remember(output, static_cast<size_t>(config_.solver_order));

    const int left = static_cast<int>(timesteps_.size()) - step.entry;
    const int most = config_.lower_order_final ? std::min(config_.solver_order, left) : config_.solver_order;
    order_ = std::min(most, lower_order_steps_ + 1);
    lower_order_steps_ = std::min(lower_order_steps_ + 1, config_.solver_order);
    last_sample_ = sample;
    return {update(sample, {.from = step.entry, .order = order_}, nullptr), picture};
  }

 private:
  struct Update {
    int from;  // the entry of the latent and of outputs_[0]
    int order;
  };

  // From one entry to the next: the predictor, or with the answer there the corrector.
  Tensor update(const Tensor& x, const Update& step, const Tensor* at_target) const {
    const LambdaPoint from = point(step.from);
    const LambdaPoint to = point(step.from + 1);
    const float h = to.lambda - from.lambda;
    UniPcRequest request{.ratios = {}, .hh = config_.predict_x0 ? -h : h, .bh1 = config_.bh1};
    for (int k = 1; k < step.order; ++k)
      request.ratios.push_back((point(step.from - k).lambda - from.lambda) / h);
    const UniPcWeights weights = unipc_weights(request);

    const Tensor& m0 = outputs_[0];
    const float base = config_.predict_x0 ? to.alpha : to.sigma;
    const float keep = config_.predict_x0 ? to.sigma / from.sigma : to.alpha / from.alpha;
    const Tensor moved = combine({{keep, x}, {-(base * weights.h_phi_1), m0}});

    // The differences of the answers, weighted.
    std::vector<Tensor> differences;
    for (size_t k = 0; k < request.ratios.size(); ++k) {
      differences.push_back(difference_over(outputs_[k + 1], m0, request.ratios[k]));
    }
    if (at_target) differences.push_back(combine({{1.0f, *at_target}, {-1.0f, m0}}));
    if (differences.empty()) return moved;
    const auto& rho = at_target ? weights.corrector : weights.predictor;
    std::vector<std::pair<float, const Tensor*>> terms;
    for (size_t k = 0; k < differences.size(); ++k) terms.emplace_back(rho[k], &differences[k]);
    return combine({{1.0f, moved}, {-(base * weights.b_h), combine(terms)}});
  }

  int order_ = 1;
  int lower_order_steps_ = 0;
  Tensor last_sample_;
};

}  // namespace

std::unique_ptr<Scheduler> make_unipc(const SchedulerConfig& config, const SchedulerSteps& steps) {
  refuse_custom(config, steps, false);
  check_steps(steps.steps, 100000, config);
  return std::make_unique<UniPc>(config, steps);
}

}  // namespace maquette::sampling
