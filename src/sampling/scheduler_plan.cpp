// Sampling as a diffusers pipeline drives a scheduler: for every entry the latent is scaled, the network
// called, and the scheduler steps (StableDiffusionPipeline and its img2img, inpaint and SDXL relatives).
#include <array>
#include <cmath>

#include "sampling/latent_math.h"
#include "sampling/numeric.h"
#include "sampling/plans.h"

namespace maquette::sampling {

namespace {

// The ten steps that Sabour et al. 2024 (arXiv:2404.14507) published, as timesteps.
std::vector<double> ays_timesteps(const SamplingRequest& request) {
  if (request.steps != 10) {
    throw Error(ErrorCode::usage, "cannot use the schedule ays in {} steps in the diffusers dialect",
                request.steps)
        .with("expected", "10 steps")
        .hint("the a1111 and comfy dialects resample it to any number");
  }
  if (request.sdxl) return {999, 845, 730, 587, 443, 310, 193, 116, 53, 13};
  return {999, 850, 736, 645, 545, 455, 343, 233, 124, 24};
}

// The part of the entries to run.
struct Range {
  int begin;
  int end;
};

Range entries_to_run(const SamplingRequest& request, const SchedulerConfig& config,
                     const Scheduler& scheduler) {
  const auto& timesteps = scheduler.timesteps();
  const int per_step = scheduler.entries_per_step();
  const double train = config.betas.train_timesteps;
  Range range{0, static_cast<int>(timesteps.size())};

  // img2img leaves out the first steps; a share of a picture between two models is cut by timestep.
  if (request.strength) {
    range.begin = (request.steps - steps_of_strength(request.steps, *request.strength)) * per_step;
  }
  if (request.denoising_start) {
    const double cutoff = round_half_even(train - *request.denoising_start * train);
    int left = 0;
    for (const double t : timesteps) left += t < cutoff ? 1 : 0;
    if (per_step == 2 && left % 2 == 0) ++left;
    range.begin = range.end - left;
  }
  if (request.denoising_end && *request.denoising_end > 0 && *request.denoising_end < 1) {
    const double cutoff = round_half_even(train - *request.denoising_end * train);
    while (range.end > 0 && timesteps[static_cast<size_t>(range.end) - 1] < cutoff) --range.end;
  }
  range.begin = std::max(range.begin, request.first_step * per_step);
  if (request.last_step) range.end = std::min(range.end, *request.last_step * per_step);
  if (range.begin < 0 || range.begin >= range.end) {
    throw Error(ErrorCode::usage, "cannot sample: no step is left")
        .hint("use a higher strength, or more steps");
  }
  return range;
}

class SchedulerPlan : public SamplingPlan {
 public:
  SchedulerPlan(const SamplingRequest& request, const PlanChoice& choice)
      : config_(scheduler_config_for(request, choice,
                                     choice.sampler.scheduler.value_or(choice.sampler.entry->scheduler))) {
    SchedulerSteps steps{.steps = request.steps, .timesteps = {}, .sigmas = {}};
    if (choice.schedule.schedule == Schedule::custom) {
      steps.sigmas = choice.schedule.custom;
      steps.steps = static_cast<int>(steps.sigmas.size()) - 1;
    } else if (choice.schedule.schedule == Schedule::ays) {
      steps.timesteps = ays_timesteps(request);
      config_.sigma_rule = SigmaRule::interpolated;
    }
    scheduler_ = make_scheduler(config_, steps);

    SamplingRequest counted = request;
    counted.steps = steps.steps;
    range_ = entries_to_run(counted, config_, *scheduler_);
    scheduler_->begin(range_.begin);
    timesteps_.assign(scheduler_->timesteps().begin() + range_.begin,
                      scheduler_->timesteps().begin() + range_.end);
    model_calls_ = static_cast<int>(timesteps_.size());
    settings_ = {.eta = static_cast<float>(request.eta.value_or(0)),
                 .s_churn = static_cast<float>(request.s_churn),
                 .s_tmin = static_cast<float>(request.s_tmin),
                 .s_tmax = request.s_tmax > 0 ? static_cast<float>(request.s_tmax) : settings_.s_tmax,
                 .s_noise = static_cast<float>(request.s_noise)};
    describe(choice);
  }

  NoiseLevel first_level() const override { return scheduler_->level(range_.begin); }
  Tensor start(const Tensor& noise) const override { return scaled(noise, scheduler_->init_noise_sigma()); }
  Tensor start(const Tensor& clean, const Tensor& noise) const override {
    const NoiseLevel level = first_level();
    return combine({{level.signal, clean}, {level.noise, noise}});
  }

  Tensor run(Tensor x, const ModelFunction& model, NoiseSource& noise, const SamplingHooks& hooks) override {
    for (int entry = range_.begin; entry < range_.end; ++entry) {
      LatentState state = state_before(entry);
      const Tensor output = answer(x, entry, model, hooks, state);
      const StepResult result = scheduler_->step({.output = output,
                                                  .sample = x,
                                                  .entry = entry,
                                                  .noise = noise,
                                                  .eta = settings_.eta,
                                                  .s_churn = settings_.s_churn,
                                                  .s_tmin = settings_.s_tmin,
                                                  .s_tmax = settings_.s_tmax,
                                                  .s_noise = settings_.s_noise});
      x = result.sample;
      check_finite(x, "the latent", state);
      if (hooks.after_step) hooks.after_step(x, result.denoised, state_after(entry));
    }
    return x;
  }

 private:
  struct Settings {
    float eta = 0;
    float s_churn = 0;
    float s_tmin = 0;
    float s_tmax = std::numeric_limits<float>::infinity();
    float s_noise = 1;
  };

  void describe(const PlanChoice& choice) {
    prediction_ = config_.scheduler == SchedulerClass::ipndm ? Prediction::v_prediction : config_.prediction;
    scheduler_class_ = name(config_.scheduler);
    schedule_ =
        choice.schedule.schedule == Schedule::automatic ? "configured" : name(choice.schedule.schedule);
    sampler_ = choice.sampler.entry->name;
    if (config_.scheduler == SchedulerClass::dpm_multistep) {
      const bool sde = config_.algorithm == DpmAlgorithm::sde_dpmsolver_pp;
      sampler_ = !sde ? "dpm++2m" : config_.solver_order == 3 ? "dpm++3m-sde" : "dpm++2m-sde";
    }
  }

  LatentState state_before(int entry) const {
    return {.step = entry - range_.begin,
            .total = range_.end - range_.begin,
            .call = entry - range_.begin,
            .timestep = scheduler_->timesteps()[static_cast<size_t>(entry)],
            .level = scheduler_->input_level(entry)};
  }
  // After the last entry of the whole schedule the latent is a clean one.
  LatentState state_after(int entry) const {
    const bool end = entry + 1 == static_cast<int>(scheduler_->timesteps().size());
    return {.step = entry - range_.begin,
            .total = range_.end - range_.begin,
            .call = entry + 1 - range_.begin,
            .timestep = end ? 0 : scheduler_->timesteps()[static_cast<size_t>(entry) + 1],
            .level = end ? NoiseLevel{1, 0} : scheduler_->level(entry + 1)};
  }

  // The network's answer for the latent of an entry. Where a callback changes what the network sees or
  // predicts, the predicted picture is turned back into the answer that means it for the sampler's own
  // latent.
  Tensor answer(const Tensor& x, int entry, const ModelFunction& model, const SamplingHooks& hooks,
                const LatentState& state) {
    Tensor seen = x;
    if (hooks.before_model) {
      seen = x.clone();
      hooks.before_model(seen, state);
    }
    const Tensor output = model(scheduler_->scale_model_input(seen, entry), state);
    check_shape(output, x);
    check_finite(output, "the network's answer", state);
    if (!hooks.before_model && !hooks.after_model) return output;

    Tensor picture = picture_from_output(output, seen, state.level, prediction_);
    if (hooks.after_model) hooks.after_model(picture, state);
    return output_from_picture(picture, x, state.level, prediction_);
  }

  SchedulerConfig config_;
  std::unique_ptr<Scheduler> scheduler_;
  Range range_{};
  Settings settings_;
};

}  // namespace

std::unique_ptr<SamplingPlan> plan_scheduler(const SamplingRequest& request, const PlanChoice& choice) {
  return std::make_unique<SchedulerPlan>(request, choice);
}

}  // namespace maquette::sampling
