// Samplers against theory, over the whole table, so that a new one is tested the day it is listed.
//
// For data ~ N(0, s^2) the ideal denoiser is D(x, sigma) = x s^2 / (s^2 + sigma^2), and the exact trajectory
// of the probability flow is x(sigma) = x0 sqrt((s^2 + sigma^2) / (s^2 + sigma0^2)). A solver of order p must
// cut its error by about 2^p when its steps are half as long. A stochastic sampler must arrive at a sample of
// the data: its deviation is s.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "sampling/latent_math.h"
#include "sampling/samplers.h"
#include "sampling/sampling.h"
#include "sampling/schedulers/scheduler.h"

namespace maquette::sampling {
namespace {

constexpr float kDeviation = 0.5f;

float ideal_share(float sigma) { return kDeviation * kDeviation / (kDeviation * kDeviation + sigma * sigma); }

// A smooth schedule that does not go down to 0, where no order could be seen.
std::vector<float> smooth_levels(int steps, float from, float to) {
  std::vector<float> sigmas;
  for (int i = 0; i <= steps; ++i) {
    const double x = static_cast<double>(i) / steps;
    sigmas.push_back(
        static_cast<float>(std::pow(std::pow(from, 1 / 7.0) * (1 - x) + std::pow(to, 1 / 7.0) * x, 7.0)));
  }
  return sigmas;
}

struct GaussianRun {
  int steps;
  float from = 10;
  float to = 0.1f;
};

double gaussian_error(const SamplerEntry& sampler, const GaussianRun& run) {
  const NoiseLevels levels = NoiseLevels::ldm({}, false);
  SampleSettings settings;
  settings.eta = 0;
  settings.levels = &levels;
  settings.noise = [](float, float) { return Tensor::zeros({1}); };
  const auto denoise = [](const Tensor& x, float sigma) { return scaled(x, ideal_share(sigma)); };
  const Tensor x = sampler.sample(denoise, Tensor::full({1}, run.from),
                                  smooth_levels(run.steps, run.from, run.to), settings);
  const double s2 = kDeviation * kDeviation;
  const double exact = run.from * std::sqrt((s2 + run.to * run.to) / (s2 + run.from * run.from));
  return std::abs(x.data()[0] - exact) / exact;
}

// These have no deterministic form: every step draws anew.
bool needs_noise(const SamplerEntry& sampler) {
  return sampler.name == "ddpm" || sampler.name == "lcm" || sampler.name == "restart";
}

TEST(Exact, samplers_reach_their_order_on_a_gaussian) {
  for (const SamplerEntry& sampler : samplers()) {
    if (needs_noise(sampler)) continue;
    const double coarse = gaussian_error(sampler, {.steps = 40});
    const double fine = gaussian_error(sampler, {.steps = 80});
    EXPECT_GT(coarse / fine, 0.75 * std::exp2(sampler.order))
        << sampler.name << " errors " << coarse << " and " << fine;
    EXPECT_LT(fine, sampler.order == 1 ? 0.05 : 5e-3) << sampler.name;
    RecordProperty(std::string(sampler.name), fmt::format("{:.2f}", std::log2(coarse / fine)));
  }
}

double deviation_of(const Tensor& x) {
  double sum = 0;
  for (const float v : x.data()) sum += static_cast<double>(v) * v;
  return std::sqrt(sum / static_cast<double>(x.data().size()));
}

// 8,000 numbers know their deviation to one percent; the rest is the error of 200 steps (60 of the
// second-order samplers with Brownian noise). The steps of tcd do not become short where there are many, so
// it keeps an error.
TEST(Exact, stochastic_samplers_arrive_at_the_data) {
  const Shape shape{1, 4, 40, 50};
  for (const SamplerEntry& sampler : samplers()) {
    if (!sampler.has(kStochastic) || sampler.name == "lcm") continue;
    NoiseSource source(noise_settings(Dialect::comfy, RandomKind::torch_cpu, 3, 1));
    SamplingRequest request{.dialect = Dialect::comfy,
                            .sampler = std::string(sampler.name),
                            .schedule = "karras",
                            .steps = sampler.has(kBrownian) ? 60 : 200};
    const auto model = [](const Tensor& x, const LatentState& state) {
      const float sigma = state.sigma();
      const float power = std::sqrt(1 + sigma * sigma);
      return scaled(x, power * (1 - ideal_share(sigma)) / sigma);
    };
    const Tensor out = run_sampling(request, {.noise = source.first(shape), .clean = {}}, model, source);
    EXPECT_NEAR(deviation_of(out) / kDeviation, 1, sampler.name == "tcd" ? 0.1 : 0.04) << sampler.name;
  }
}

// Consistency sampling jumps to D and adds noise: the variance follows v <- d^2 v + next^2, with d the ideal
// share.
TEST(Exact, lcm_follows_its_variance) {
  const Shape shape{1, 4, 50, 100};
  const std::vector<float> sigmas = {10, 3, 1, 0};
  TorchCpuGenerator generator(5);
  SampleSettings settings;
  settings.noise = [&](float, float) {
    Tensor z = Tensor::empty(shape);
    generator.normal(z.data());
    return z;
  };
  const auto denoise = [](const Tensor& x, float sigma) { return scaled(x, ideal_share(sigma)); };
  double variance = 100;
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    variance = std::pow(ideal_share(sigmas[i]), 2) * variance + std::pow(sigmas[i + 1], 2);
  }
  const Tensor out = sample_lcm(denoise, scaled(settings.noise(0, 0), 10), sigmas, settings);
  EXPECT_NEAR(deviation_of(out), std::sqrt(variance), 0.02 * std::sqrt(variance));
}

// The answer of the ideal network of N(0, s^2) for any prediction type, from what its input holds.
Tensor ideal_answer(const Tensor& x, const LatentState& state, Prediction prediction) {
  const float power =
      std::sqrt(state.level.signal * state.level.signal + state.level.noise * state.level.noise);
  const NoiseLevel level{state.level.signal / power, state.level.noise / power};
  const float s2 = kDeviation * kDeviation;
  const Tensor picture =
      scaled(x, level.signal * s2 / (level.signal * level.signal * s2 + level.noise * level.noise));
  return output_from_picture(picture, x, level, prediction);
}

SamplingRequest scheduler_request(std::string_view name, int steps) {
  return {.dialect = Dialect::diffusers,
          .sampler = std::string(name),
          .steps = steps,
          .scheduler_config = {{"beta_start", 0.00085},
                               {"beta_end", 0.012},
                               {"beta_schedule", "scaled_linear"},
                               {"clip_sample", false},
                               {"prediction_type", "v_prediction"},
                               {"skip_prk_steps", true}}};
}

// Every deterministic class comes closer to the exact solution with more steps. The end is sigma = 0, or the
// lowest trained level.
TEST(Exact, scheduler_classes_converge_on_a_gaussian) {
  const char* names[] = {"DDIMScheduler",
                         "PNDMScheduler",
                         "LMSDiscreteScheduler",
                         "EulerDiscreteScheduler",
                         "HeunDiscreteScheduler",
                         "KDPM2DiscreteScheduler",
                         "DPMSolverMultistepScheduler",
                         "DPMSolverSinglestepScheduler",
                         "UniPCMultistepScheduler",
                         "DEISMultistepScheduler",
                         "TCDScheduler"};
  for (const char* name : names) {
    const auto error = [&](int steps) {
      const auto plan = plan_sampling(scheduler_request(name, steps));
      NoiseSource source(NoiseSettings{});
      const Tensor start = plan->start(Tensor::full({1, 1, 1, 1}, 1));
      const NoiseLevel level = plan->first_level();
      const double s2 = kDeviation * kDeviation;
      const double spread = std::sqrt(level.signal * level.signal * s2 + level.noise * level.noise);
      const auto model = [&](const Tensor& x, const LatentState& s) {
        return ideal_answer(x, s, plan->prediction());
      };
      const Tensor out = plan->run(start, model, source, {});
      return std::abs(out.data()[0] / (start.data()[0] / spread * kDeviation) - 1);
    };
    const double coarse = error(10);
    const double fine = error(50);
    EXPECT_LT(fine, 0.6 * coarse + 2e-3) << name << " errors " << coarse << " and " << fine;
    EXPECT_LT(fine, 0.06) << name;
  }
}

TEST(Exact, stochastic_scheduler_classes_arrive_at_the_data) {
  const Shape shape{1, 4, 40, 50};
  for (const char* name : {"DDPMScheduler", "EulerAncestralDiscreteScheduler",
                           "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler"}) {
    const auto plan =
        plan_sampling(scheduler_request(name, std::string_view(name) == "DPMSolverSDEScheduler" ? 60 : 200));
    NoiseSource source(NoiseSettings{});
    const auto model = [&](const Tensor& x, const LatentState& s) {
      return ideal_answer(x, s, plan->prediction());
    };
    const Tensor out = plan->run(plan->start(source.first(shape)), model, source, {});
    EXPECT_NEAR(deviation_of(out) / kDeviation, 1, 0.05) << name;
  }
}

}  // namespace
}  // namespace maquette::sampling
