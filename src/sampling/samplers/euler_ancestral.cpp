// Ancestral sampling with Euler steps: step down below the next level, then add new noise to arrive at it.
// With eta = 1 this is the ancestral sampler of DDPM (Ho et al. 2020) written in sigma.
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_euler_ancestral(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                              const SampleSettings& settings) {
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const Tensor denoised = denoise(x, sigmas[i]);
    const auto [down, up] = ancestral_step(sigmas[i], sigmas[i + 1], settings.eta);
    const Tensor d = derivative(x, denoised, sigmas[i]);
    x = combine({{1.0f, x}, {down - sigmas[i], d}});
    if (sigmas[i + 1] > 0 && up > 0) {
      x = combine({{1.0f, x}, {up, scaled(settings.noise(sigmas[i], sigmas[i + 1]), settings.s_noise)}});
    }
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
