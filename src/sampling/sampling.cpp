// From a request to a plan: names are read, defaults of the dialects filled in, contradictions refused.
#include "sampling/sampling.h"

#include <cmath>

#include "sampling/latent_math.h"
#include "sampling/plans.h"

namespace maquette::sampling {

namespace {

// Where no sampler is named, the configuration's class decides in the diffusers dialect; the other programs
// have their own first choice.
std::string default_sampler(const SamplingRequest& request) {
  if (request.dialect == Dialect::a1111) return "dpm++2m";
  if (request.dialect == Dialect::comfy) return "euler";
  if (request.scheduler_config.is_object()) {
    const auto found = request.scheduler_config.find("_class_name");
    if (found != request.scheduler_config.end() && found->is_string()) {
      const auto class_name = found->get<std::string>();
      if (!find_scheduler_class(class_name)) {
        throw Error(ErrorCode::bad_file, "there is no scheduler class \"{}\"", class_name)
            .hint("name a sampler; the rest of the configuration is then used with it");
      }
      return class_name;
    }
  }
  return "euler";
}

void check_request(const SamplingRequest& request) {
  if (request.strength && !(*request.strength >= 0 && *request.strength <= 1)) {
    throw Error(ErrorCode::usage, "cannot repaint with strength {}", *request.strength)
        .with("expected", "0 to 1");
  }
  if (request.eta && !(*request.eta >= 0 && *request.eta <= 1)) {
    throw Error(ErrorCode::usage, "cannot sample with eta {}", *request.eta).with("expected", "0 to 1");
  }
  if (request.first_step < 0 || (request.last_step && *request.last_step <= request.first_step)) {
    throw Error(ErrorCode::usage, "cannot sample from step {} to step {}", request.first_step,
                request.last_step.value_or(request.steps));
  }
  if ((request.denoising_start || request.denoising_end) && request.dialect != Dialect::diffusers) {
    throw Error(ErrorCode::usage,
                "cannot use denoising_start and denoising_end outside the diffusers dialect")
        .hint("use first_step and last_step");
  }
}

}  // namespace

SchedulerConfig scheduler_config_for(const SamplingRequest& request, const PlanChoice& choice,
                                     SchedulerClass scheduler) {
  SchedulerConfig config = read_scheduler_config({.scheduler = scheduler,
                                                  .config = request.scheduler_config,
                                                  .corrections = request.corrections,
                                                  .schedule = choice.schedule,
                                                  .prediction = request.prediction,
                                                  .zero_terminal_snr = request.zero_terminal_snr});

  // One class serves several samplers; where the class itself was named, its configuration decides.
  if (choice.sampler.scheduler) return config;
  const std::string_view sampler = choice.sampler.entry->name;
  if (sampler == "dpm++2m" && config.algorithm == DpmAlgorithm::sde_dpmsolver_pp) {
    config.algorithm = DpmAlgorithm::dpmsolver_pp;
  }
  if (sampler == "dpm++2m-sde" || sampler == "dpm++3m-sde") config.algorithm = DpmAlgorithm::sde_dpmsolver_pp;
  if (sampler == "dpm++3m-sde") config.solver_order = 3;
  if (choice.sampler.heun) config.heun = true;
  if (choice.sampler.bh1 && !*choice.sampler.bh1) config.bh1 = false;
  return config;
}

int steps_of_strength(int steps, double strength) {
  const int left = std::min(static_cast<int>(steps * strength), steps);
  if (left >= 1) return left;
  throw Error(ErrorCode::usage, "cannot repaint with strength {} in {} steps: no step is left", strength,
              steps)
      .hint("use a higher strength, or more steps");
}

void check_finite(const Tensor& x, std::string_view what, const LatentState& state) {
  if (all_finite(x)) return;
  throw Error(ErrorCode::failed, "{} is not finite", what)
      .with("step", fmt::format("{} of {}", state.step + 1, state.total))
      .with("timestep", state.timestep)
      .hint(
          "try --precision f32; if that does not help, the checkpoint is damaged or its prediction type is "
          "wrong");
}

void check_shape(const Tensor& output, const Tensor& input) {
  if (output.shape() == input.shape()) return;
  throw Error(ErrorCode::failed, "cannot use the network's answer")
      .with("found", output.shape().text())
      .with("expected", input.shape().text());
}

std::unique_ptr<SamplingPlan> plan_sampling(const SamplingRequest& request) {
  check_request(request);
  const bool named = !request.sampler.empty();
  PlanChoice choice{.sampler = parse_sampler(named ? request.sampler : default_sampler(request)),
                    .schedule = parse_schedule(request.schedule)};
  if (choice.schedule.schedule == Schedule::automatic && choice.sampler.schedule) {
    choice.schedule.schedule = *choice.sampler.schedule;
  }
  const bool k = request.dialect != Dialect::diffusers || choice.sampler.entry->has(kAlwaysK);
  return k ? plan_k(request, choice) : plan_scheduler(request, choice);
}

Tensor run_sampling(const SamplingRequest& request, const SamplingInput& input, const ModelFunction& model,
                    NoiseSource& noise, const SamplingHooks& hooks) {
  const auto plan = plan_sampling(request);
  const Tensor x = input.clean.defined() ? plan->start(input.clean, input.noise) : plan->start(input.noise);
  return plan->run(x, model, noise, hooks);
}

}  // namespace maquette::sampling
