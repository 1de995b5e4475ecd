// What several samplers share: the derivative, ancestral and churn steps, the call after a step.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "sampling/latent_math.h"
#include "sampling/rounded_math.h"
#include "sampling/sampler.h"

namespace maquette::sampling {

// How far to step down, and how much new noise to add, to arrive at a level as an ancestral step does.
struct AncestralStep {
  float down;
  float up;
};
inline AncestralStep ancestral_step(float from, float to, float eta) {
  if (eta == 0) return {to, 0};
  const float up = std::min(to, eta * std::sqrt(to * to * (from * from - to * to) / (from * from)));
  return {std::sqrt(to * to - up * up), up};
}

// dx/dsigma of the probability flow (Karras et al. 2022, equation 3).
inline Tensor derivative(const Tensor& x, const Tensor& denoised, float sigma) {
  return difference_over(x, denoised, sigma);
}

// Raises the noise level of x for a stochastic step (Karras et al. 2022, algorithm 2); returns the level
// reached.
inline float churn(Tensor& x, std::span<const float> sigmas, size_t i, const SampleSettings& settings) {
  if (settings.s_churn <= 0) return sigmas[i];
  const bool inside = settings.s_tmin <= sigmas[i] && sigmas[i] <= settings.s_tmax;
  const float gamma =
      inside ? std::min(settings.s_churn / static_cast<float>(sigmas.size() - 1), std::sqrt(2.0f) - 1) : 0.0f;
  const float raised = sigmas[i] * (gamma + 1);
  if (gamma > 0 || settings.churn_draws_always) {
    const Tensor noise = settings.churn_noise ? settings.churn_noise() : settings.noise(sigmas[i], raised);
    if (gamma > 0) {
      x = combine(
          {{1.0f, x}, {std::sqrt(raised * raised - sigmas[i] * sigmas[i]), scaled(noise, settings.s_noise)}});
    }
  }
  return raised;
}

// The level halfway between two in log sigma.
inline float log_middle(float sigma, float other) {
  const float a = log_f32(sigma);
  const float b = log_f32(other);
  return exp_f32(b - (b - a) * 0.5f);
}

inline void finish_step(const SampleSettings& settings, std::span<const float> sigmas, size_t i, Tensor& x,
                        const Tensor& denoised) {
  if (!settings.after_step) return;
  settings.after_step({.index = static_cast<int>(i),
                       .total = static_cast<int>(sigmas.size()) - 1,
                       .sigma = sigmas[i],
                       .sigma_next = sigmas[i + 1],
                       .x = x,
                       .denoised = denoised});
}

}  // namespace maquette::sampling
