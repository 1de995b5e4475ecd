// Sampling over noise levels, as A1111 and ComfyUI do it with k-diffusion; also the samplers that diffusers
// lacks, over the levels of its EulerDiscreteScheduler.
//
// Inside, x = picture + sigma * noise. A1111 runs DDIM, PLMS and UniPC on lists of timesteps with latents of
// unit variance; x / sqrt(alpha_bar) is the same thing here, so those only start and end with another factor.
#include <algorithm>
#include <cmath>
#include <optional>

#include "sampling/latent_math.h"
#include "sampling/numeric.h"
#include "sampling/plans.h"

namespace maquette::sampling {

namespace {

// Which levels a job visits and how its latents start and end.
struct KSetup {
  NoiseLevels levels;                   // the trained ones
  std::vector<float> sigmas;            // visited, falling
  std::vector<double> known_timesteps;  // of `sigmas`, where they are not to be found from the level
  bool whole_timesteps = false;         // ComfyUI asks the network at whole timesteps only
  float noise_factor = 1;               // of the first noise
  NoiseLevel img2img{1, 0};             // of picture and noise at the start of img2img
  float end_factor = 1;                 // of the final latent
  float brownian_low = 0;               // the range of the Brownian motion
  float brownian_high = 1;
  int lcm_stride = 0;  // A1111's LCM: the timesteps that distillation knew, and its boundary scaling
};

float least_positive(std::span<const float> sigmas) {
  float least = sigmas.front();
  for (const float s : sigmas) {
    if (s > 0) least = std::min(least, s);
  }
  return least;
}

void keep_steps(const SamplingRequest& request, KSetup& setup) {
  const int steps = static_cast<int>(setup.sigmas.size()) - 1;
  const int end = std::min(request.last_step.value_or(steps), steps);
  if (request.first_step >= end) {
    throw Error(ErrorCode::usage, "cannot sample: no step is left")
        .hint("use a higher strength, or more steps");
  }
  const auto slice = [&](auto& list) {
    list.erase(list.begin() + end + 1, list.end());
    list.erase(list.begin(), list.begin() + request.first_step);
  };
  slice(setup.sigmas);
  if (!setup.known_timesteps.empty()) slice(setup.known_timesteps);
}

// The trained levels that a configuration describes.
struct Trained {
  BetaSettings betas;
  Prediction prediction = Prediction::epsilon;
  bool zero_terminal_snr = false;
};

Trained trained_from(const SamplingRequest& request, const PlanChoice& choice) {
  // Any class that knows every option will do to read the file.
  PlanChoice plain = choice;
  plain.schedule = {};
  const SchedulerConfig config = scheduler_config_for(request, plain, SchedulerClass::ddim);
  Trained trained{
      .betas = {}, .prediction = config.prediction, .zero_terminal_snr = config.zero_terminal_snr};
  if (request.scheduler_config.is_object() && !request.scheduler_config.empty()) trained.betas = config.betas;
  return trained;
}

std::vector<float> sigmas_for(const SamplingRequest& request, const PlanChoice& choice,
                              const NoiseLevels& levels, int steps) {
  if (choice.schedule.schedule == Schedule::custom) return choice.schedule.custom;
  const SamplerEntry& sampler = *choice.sampler.entry;
  const bool discards = sampler.has(request.dialect == Dialect::comfy ? kComfyDiscards : kA1111Discards);
  std::vector<float> sigmas = make_sigmas({.schedule = choice.schedule.schedule,
                                           .steps = discards ? steps + 1 : steps,
                                           .dialect = request.dialect,
                                           .sdxl = request.sdxl},
                                          levels);
  if (discards) sigmas.erase(sigmas.end() - 2);
  return sigmas;
}

// ---- A1111 ----

// The steps that img2img runs of `steps`: int(min(strength, 0.999) * steps), and one more.
int a1111_encoded(const SamplingRequest& request) {
  return static_cast<int>(std::min(*request.strength, 0.999) * request.steps);
}

KSetup setup_a1111(const SamplingRequest& request, const PlanChoice& choice, NoiseLevels levels) {
  KSetup setup{.levels = std::move(levels), .sigmas = {}, .known_timesteps = {}};
  setup.sigmas = sigmas_for(request, choice, setup.levels, request.steps);
  setup.brownian_low = least_positive(setup.sigmas);
  setup.brownian_high = *std::ranges::max_element(setup.sigmas);
  if (request.strength) {
    const int steps =
        static_cast<int>(choice.schedule.schedule == Schedule::custom ? setup.sigmas.size() - 1
                                                                      : static_cast<size_t>(request.steps));
    const int skipped = steps - static_cast<int>(std::min(*request.strength, 0.999) * steps) - 1;
    setup.sigmas.erase(setup.sigmas.begin(), setup.sigmas.begin() + skipped);
  }
  keep_steps(request, setup);
  setup.noise_factor = setup.sigmas.front();
  setup.img2img = {1, setup.sigmas.front()};
  return setup;
}

// Networks distilled as LCMs know every 20th timestep; A1111 restricts the levels to those.
NoiseLevels lcm_levels(const NoiseLevels& all, int stride) {
  std::vector<float> sigmas;
  for (int t = stride - 1; t < all.count(); t += stride)
    sigmas.push_back(all.sigmas()[static_cast<size_t>(t)]);
  return NoiseLevels(std::move(sigmas));
}

// DDIM, PLMS and UniPC: whole timesteps 1, 1 + k, 1 + 2k, ... of which the lowest is only arrived at.
KSetup setup_a1111_timesteps(const SamplingRequest& request, const PlanChoice& choice, NoiseLevels levels) {
  KSetup setup{.levels = std::move(levels), .sigmas = {}, .known_timesteps = {}};
  const int train = setup.levels.count();
  if (request.steps < 1 || request.steps > train)
    throw Error(ErrorCode::usage, "cannot sample in {} steps", request.steps);
  std::vector<int> rising;
  for (int t = 0; t < train; t += train / request.steps) rising.push_back(std::min(t + 1, train - 1));

  // img2img noises the picture to the timestep above the ones that it runs.
  const auto sigma_at = [&](int t) { return setup.levels.sigmas()[static_cast<size_t>(t)]; };
  float noised_to = sigma_at(rising.back());
  if (request.strength) {
    const int encoded = a1111_encoded(request);
    noised_to = sigma_at(rising[static_cast<size_t>(encoded)]);
    rising.resize(static_cast<size_t>(encoded));
  }
  if (rising.size() < 2) {
    throw Error(ErrorCode::usage, "cannot sample: no step is left")
        .hint("use a higher strength, or more steps");
  }

  if (choice.sampler.entry->scheduler == SchedulerClass::unipc) {
    // UniPC takes as many steps evenly from the highest time to 1 / train, log alpha interpolated between
    // timesteps.
    const double top = request.strength ? (rising.back() + 1) / 1000.0 : 1.0;
    std::vector<double> log_alphas;
    for (const float s : setup.levels.sigmas())
      log_alphas.push_back(-0.5 * std::log1p(static_cast<double>(s) * s));
    for (const double t : linspace(top, 1.0 / train, static_cast<int>(rising.size()) + 1)) {
      const double log_alpha = interpolate(t * train - 1, log_alphas);
      setup.sigmas.push_back(static_cast<float>(std::sqrt(std::expm1(-2 * log_alpha))));
      setup.known_timesteps.push_back((t - 1.0 / train) * 1000);
    }
  } else {
    for (auto t = rising.rbegin(); t != rising.rend(); ++t) {
      setup.sigmas.push_back(sigma_at(*t));
      setup.known_timesteps.push_back(*t);
    }
  }
  keep_steps(request, setup);

  // The latent of unit variance is x / sqrt(1 + sigma^2).
  const auto power = [](float sigma) { return std::sqrt(1 + sigma * sigma); };
  setup.noise_factor = power(setup.sigmas.front());
  setup.img2img = {power(setup.sigmas.front()) / power(noised_to),
                   power(setup.sigmas.front()) * noised_to / power(noised_to)};
  setup.end_factor = 1 / power(setup.sigmas.back());
  setup.brownian_low = least_positive(setup.sigmas);
  setup.brownian_high = setup.sigmas.front();
  return setup;
}

// ---- ComfyUI ----

KSetup setup_comfy(const SamplingRequest& request, const PlanChoice& choice, NoiseLevels levels) {
  KSetup setup{.levels = std::move(levels), .sigmas = {}, .known_timesteps = {}, .whole_timesteps = true};
  const double denoise = request.strength.value_or(1);
  if (denoise > 0.9999 || choice.schedule.schedule == Schedule::custom) {
    setup.sigmas = sigmas_for(request, choice, setup.levels, request.steps);
  } else {
    if (denoise <= 0) {
      throw Error(ErrorCode::usage, "cannot repaint with strength 0: no step is left")
          .hint("use a higher strength");
    }
    // The schedule is stretched so that the steps asked for are its last ones.
    setup.sigmas =
        sigmas_for(request, choice, setup.levels, static_cast<int>(std::min(request.steps / denoise, 1e6)));
    const size_t kept = std::min(setup.sigmas.size(), static_cast<size_t>(request.steps) + 1);
    setup.sigmas.erase(setup.sigmas.begin(), setup.sigmas.end() - static_cast<std::ptrdiff_t>(kept));
  }
  keep_steps(request, setup);
  const float first = setup.sigmas.front();
  const float most = setup.levels.sigma_max();
  const bool from_the_top = first > most || std::abs(most - first) <= 1e-5f * std::max(most, first);
  setup.noise_factor = from_the_top ? std::sqrt(1 + first * first) : first;
  setup.img2img = {1, setup.noise_factor};
  setup.brownian_low = least_positive(setup.sigmas);
  setup.brownian_high = *std::ranges::max_element(setup.sigmas);
  return setup;
}

// ---- diffusers ----

KSetup setup_diffusers(const SamplingRequest& request, const PlanChoice& choice) {
  const Schedule wanted = choice.schedule.schedule;
  const bool own = wanted == Schedule::ays || wanted == Schedule::kl_optimal;
  PlanChoice configured = choice;
  if (own) configured.schedule = {};
  const SchedulerConfig config = scheduler_config_for(request, configured, SchedulerClass::euler);
  auto alphas = alphas_cumprod_f32(config.betas, config.zero_terminal_snr, 0x1p-24f);
  KSetup setup{.levels = NoiseLevels(sigmas_of(alphas)), .sigmas = {}, .known_timesteps = {}};

  SchedulerSteps steps{.steps = request.steps, .timesteps = {}, .sigmas = {}};
  if (wanted == Schedule::custom) steps.sigmas = choice.schedule.custom;
  if (own) {
    steps.sigmas = make_sigmas(
        {.schedule = wanted, .steps = request.steps, .dialect = Dialect::comfy, .sdxl = request.sdxl},
        setup.levels);
  }
  const auto euler = make_scheduler(config, steps);
  const auto& timesteps = euler->timesteps();
  for (size_t i = 0; i <= timesteps.size(); ++i) {
    setup.sigmas.push_back(i < timesteps.size() ? euler->level(static_cast<int>(i)).noise : 0.0f);
    setup.known_timesteps.push_back(i < timesteps.size() ? timesteps[i] : 0.0);
  }
  const int all = static_cast<int>(timesteps.size());
  SamplingRequest counted = request;
  if (request.strength)
    counted.first_step = std::max(request.first_step, all - steps_of_strength(all, *request.strength));
  keep_steps(counted, setup);
  setup.noise_factor = euler->init_noise_sigma();
  setup.img2img = {1, setup.sigmas.front()};
  setup.brownian_low = least_positive(setup.sigmas);
  setup.brownian_high = *std::ranges::max_element(setup.sigmas);
  return setup;
}

// The schedule that "automatic" stands for.
void settle_schedule(const SamplingRequest& request, PlanChoice& choice) {
  if (choice.schedule.schedule != Schedule::automatic || request.dialect == Dialect::diffusers) return;
  const bool a1111 = request.dialect == Dialect::a1111;
  choice.schedule.schedule = a1111 ? choice.sampler.entry->a1111_schedule : Schedule::normal;
}

class KPlan : public SamplingPlan {
 public:
  KPlan(const SamplingRequest& request, PlanChoice choice)
      : entry_(choice.sampler.entry), setup_(make_setup(request, choice)) {
    sampler_ = entry_->name;
    schedule_ =
        choice.schedule.schedule == Schedule::automatic ? "configured" : name(choice.schedule.schedule);
    set_sampler_settings(request, choice);
    count_calls();
  }

  NoiseLevel first_level() const override { return {1, setup_.sigmas.front()}; }
  Tensor start(const Tensor& noise) const override { return scaled(noise, setup_.noise_factor); }
  Tensor start(const Tensor& clean, const Tensor& noise) const override {
    return combine({{setup_.img2img.signal, clean}, {setup_.img2img.noise, noise}});
  }

  Tensor run(Tensor x, const ModelFunction& model, NoiseSource& noise, const SamplingHooks& hooks) override {
    const Shape shape = x.shape();
    std::optional<BrownianNoise> brownian;
    if (entry_->has(kBrownian)) brownian = noise.brownian(shape, setup_.brownian_low, setup_.brownian_high);

    SampleSettings settings = settings_;
    settings.levels = &setup_.levels;
    settings.noise = [&](float sigma, float next) {
      return brownian ? (*brownian)(sigma, next) : noise.step(shape);
    };
    // ComfyUI churns with the generator that drew the first latent.
    if (comfy_) settings.churn_noise = [&] { return noise.next(shape); };
    LatentState state{.step = 0, .total = steps(), .call = 0, .timestep = 0, .level = {}};
    settings.after_step = [&](const SamplerStep& step) {
      check_finite(step.x, "the latent", state);
      state.timestep = step.sigma_next > 0 ? timestep_of(step.sigma_next) : 0;
      state.level = {1, step.sigma_next};
      if (hooks.after_step) hooks.after_step(step.x, step.denoised, state);
      state.step = step.index + 1;
    };
    const auto denoise = [&](const Tensor& latent, float sigma) {
      state.timestep = timestep_of(sigma);
      state.level = {1, sigma};
      const Tensor denoised = denoised_picture(latent, model, hooks, state);
      ++state.call;
      return denoised;
    };
    const Tensor out = entry_->sample(denoise, std::move(x), setup_.sigmas, settings);
    return setup_.end_factor == 1 ? out : scaled(out, setup_.end_factor);
  }

 private:
  KSetup make_setup(const SamplingRequest& request, PlanChoice& choice) {
    const bool automatic = choice.schedule.schedule == Schedule::automatic;
    const bool a1111 = request.dialect == Dialect::a1111;
    settle_schedule(request, choice);
    const Trained trained = trained_from(request, choice);
    prediction_ = trained.prediction;
    if (request.dialect == Dialect::diffusers) return setup_diffusers(request, choice);

    NoiseLevels levels = NoiseLevels::ldm(trained.betas, trained.zero_terminal_snr);
    if (!a1111) return setup_comfy(request, choice, std::move(levels));
    over_timesteps_ = automatic && entry_->has(kA1111Timesteps);
    if (over_timesteps_) return setup_a1111_timesteps(request, choice, std::move(levels));
    if (entry_->scheduler != SchedulerClass::lcm) return setup_a1111(request, choice, std::move(levels));
    constexpr int kOriginalSteps = 50;
    const int stride = std::max(levels.count() / kOriginalSteps, 1);
    KSetup setup = setup_a1111(request, choice, lcm_levels(levels, stride));
    setup.lcm_stride = stride;
    return setup;
  }

  void set_sampler_settings(const SamplingRequest& request, const PlanChoice& choice) {
    const bool ddim = entry_->scheduler == SchedulerClass::ddim;
    const bool tcd = entry_->scheduler == SchedulerClass::tcd;
    settings_.eta = static_cast<float>(request.eta.value_or(ddim ? 0.0 : tcd ? 0.3 : 1.0));
    settings_.s_churn = static_cast<float>(request.s_churn);
    settings_.s_tmin = static_cast<float>(request.s_tmin);
    if (request.s_tmax > 0) settings_.s_tmax = static_cast<float>(request.s_tmax);
    settings_.s_noise = static_cast<float>(request.s_noise);
    settings_.churn_draws_always = request.dialect == Dialect::a1111;
    comfy_ = request.dialect == Dialect::comfy;
    settings_.heun = choice.sampler.heun;
    settings_.bh1 = choice.sampler.bh1.value_or(true);
    if (request.dialect == Dialect::a1111 && entry_->scheduler == SchedulerClass::unipc) settings_.order = 3;
  }

  // A dry run with a network that answers nothing, to learn the steps and the calls of a sampler.
  void count_calls() {
    const Tensor nothing = Tensor::zeros({1, 1, 1, 1});
    SampleSettings settings = settings_;
    settings.levels = &setup_.levels;
    settings.noise = [&](float, float) { return nothing; };
    double first_of_step = -1;
    const auto denoise = [&](const Tensor& x, float sigma) {
      if (first_of_step < 0) first_of_step = timestep_of(sigma);
      ++model_calls_;
      return x;
    };
    settings.after_step = [&](const SamplerStep&) {
      timesteps_.push_back(first_of_step);
      first_of_step = -1;
    };
    entry_->sample(denoise, nothing, setup_.sigmas, settings);
  }

  double timestep_of(float sigma) const {
    if (setup_.lcm_stride > 0)
      return setup_.levels.nearest_timestep(sigma) * setup_.lcm_stride + setup_.lcm_stride - 1;
    for (size_t i = 0; i < setup_.known_timesteps.size(); ++i) {
      if (setup_.sigmas[i] == sigma) return setup_.known_timesteps[i];
    }
    return setup_.whole_timesteps ? setup_.levels.nearest_timestep(sigma) : setup_.levels.timestep_of(sigma);
  }

  // The denoiser D(x, sigma) of k-diffusion around the network: the input is scaled to unit variance, the
  // answer turned into a picture.
  Tensor denoised_picture(const Tensor& latent, const ModelFunction& model, const SamplingHooks& hooks,
                          const LatentState& state) const {
    Tensor x = latent;
    if (hooks.before_model) {
      x = latent.clone();
      hooks.before_model(x, state);
    }
    const float sigma = state.level.noise;
    const Tensor output = model(scaled(x, 1 / std::sqrt(sigma * sigma + 1)), state);
    check_shape(output, latent);
    check_finite(output, "the network's answer", state);
    Tensor picture = picture_from_output(output, x, state.level, prediction_);
    if (over_timesteps_ && hooks.before_model) picture = combine({{1, picture}, {1, latent}, {-1, x}});
    if (setup_.lcm_stride > 0) picture = with_lcm_boundary(picture, x, state.timestep);
    if (hooks.after_model) hooks.after_model(picture, state);
    return picture;
  }

  // Luo et al. 2023, arXiv:2310.04378, section 4.1, with sigma_data = 0.5 and timesteps scaled by 10.
  static Tensor with_lcm_boundary(const Tensor& picture, const Tensor& x, double timestep) {
    const auto t = static_cast<float>(timestep * 10);
    constexpr float kSigmaData = 0.5f;
    const float power = t * t + kSigmaData * kSigmaData;
    return combine({{t / std::sqrt(power), picture}, {kSigmaData * kSigmaData / power, x}});
  }

  const SamplerEntry* entry_;
  KSetup setup_;
  SampleSettings settings_;
  bool comfy_ = false;
};

}  // namespace

std::unique_ptr<SamplingPlan> plan_k(const SamplingRequest& request, const PlanChoice& choice) {
  return std::make_unique<KPlan>(request, choice);
}

}  // namespace maquette::sampling
