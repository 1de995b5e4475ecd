// Restart sampling (Xu et al. 2023, arXiv:2306.14878, algorithm 1): Heun steps down; on passing sigma = 0.1,
// noise is added back up to sigma = 2 and that stretch is walked again. The numbers are those of A1111's
// sampler: below 20 steps no restart, from 20 steps one of 9 steps, from 36 two of a quarter of the steps;
// the rest of the steps follow a Karras schedule between the ends of the list given.
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

namespace {

size_t nearest(std::span<const float> sigmas, float wanted) {
  size_t best = 0;
  for (size_t i = 1; i < sigmas.size(); ++i) {
    if (std::abs(sigmas[i] - wanted) < std::abs(sigmas[best] - wanted)) best = i;
  }
  return best;
}

std::vector<float> karras_between(int n, float low, float high) {
  return make_sigmas({.schedule = Schedule::karras, .steps = n, .dialect = Dialect::a1111, .sdxl = false},
                     NoiseLevels({low, high}));
}

struct Stretch {
  float from;
  float to;
};

std::vector<Stretch> restart_plan(std::span<const float> given) {
  constexpr float kRestartFrom = 2.0f;
  constexpr float kRestartBelow = 0.1f;
  std::vector<float> sigmas(given.begin(), given.end());
  const int steps = static_cast<int>(given.size()) - 1;
  int restart_steps = 0;
  int restarts = 0;
  if (steps >= 20) {
    restarts = steps >= 36 ? 2 : 1;
    restart_steps = steps >= 36 ? steps / 4 : 9;
    sigmas = karras_between(steps - restart_steps * restarts, given[given.size() - 2], given[0]);
  }
  const size_t bottom = nearest(sigmas, kRestartBelow);
  const size_t top = nearest(sigmas, kRestartFrom);

  std::vector<Stretch> plan;
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    plan.push_back({sigmas[i], sigmas[i + 1]});
    if (restarts == 0 || i + 1 != bottom || top >= bottom) continue;
    const auto again = karras_between(restart_steps + 1, sigmas[bottom], sigmas[top]);
    for (int time = 0; time < restarts; ++time) {
      for (size_t k = 0; k + 2 < again.size(); ++k) plan.push_back({again[k], again[k + 1]});
    }
  }
  return plan;
}

}  // namespace

Tensor sample_restart(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                      const SampleSettings& settings) {
  const std::vector<Stretch> plan = restart_plan(sigmas);
  for (size_t i = 0; i < plan.size(); ++i) {
    const auto [sigma, next] = plan[i];
    if (i > 0 && plan[i - 1].to < sigma) {
      const float last = plan[i - 1].to;
      const float deviation = settings.s_noise * std::sqrt(sigma * sigma - last * last);
      x = combine({{1.0f, x}, {deviation, settings.noise(last, sigma)}});
    }

    const Tensor denoised = denoise(x, sigma);
    const Tensor d = derivative(x, denoised, sigma);
    const Tensor predicted = combine({{1.0f, x}, {next - sigma, d}});
    if (next == 0) {
      x = predicted;
    } else {
      const Tensor d_next = derivative(predicted, denoise(predicted, next), next);
      x = combine({{1.0f, x}, {next - sigma, scaled(combine({{1.0f, d}, {1.0f, d_next}}), 0.5f)}});
    }
    if (settings.after_step) {
      settings.after_step({.index = static_cast<int>(i),
                           .total = static_cast<int>(plan.size()),
                           .sigma = sigma,
                           .sigma_next = next,
                           .x = x,
                           .denoised = denoised});
    }
  }
  return x;
}

}  // namespace maquette::sampling
