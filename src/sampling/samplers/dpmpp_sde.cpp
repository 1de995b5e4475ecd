// DPM-Solver++ for the diffusion SDE, single step, second order (k-diffusion's stochastic form of Lu et al.
// 2022, arXiv:2211.01095, algorithm 1, r = 1/2): both the step to the midpoint and the whole step are
// ancestral, and their noise comes from one Brownian motion.
#include "sampling/rounded_math.h"
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

namespace {

struct SdeStep {
  float from;
  float to;
};

// An exponential-integrator step towards `target`, with the noise of an ancestral step.
Tensor sde_step(const Tensor& x, const Tensor& target, SdeStep step, const SampleSettings& settings) {
  const auto [down, up] = ancestral_step(step.from, step.to, settings.eta);
  const float t = -log_f32(step.from);
  const float t_down = -log_f32(down);
  const Tensor moved = combine({{exp_f32(-t_down) / step.from, x}, {-expm1_f32(t - t_down), target}});
  if (up == 0) return moved;
  return combine({{1.0f, moved}, {up, scaled(settings.noise(step.from, step.to), settings.s_noise)}});
}

}  // namespace

Tensor sample_dpmpp_sde(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                        const SampleSettings& settings) {
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const Tensor denoised = denoise(x, sigmas[i]);
    if (sigmas[i + 1] == 0) {
      x = combine({{1.0f, x}, {-sigmas[i], derivative(x, denoised, sigmas[i])}});
    } else {
      const float t = -log_f32(sigmas[i]);
      const float t_next = -log_f32(sigmas[i + 1]);
      const float from = exp_f32(-t);
      const float middle = exp_f32(-(t + (t_next - t) * 0.5f));
      const Tensor halfway = sde_step(x, denoised, {from, middle}, settings);
      const Tensor seen = denoise(halfway, middle);
      x = sde_step(x, seen, {from, exp_f32(-t_next)}, settings);
    }
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
