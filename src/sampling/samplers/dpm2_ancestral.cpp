// DPM-Solver-2 steps down below the next level, then new noise up to it.
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_dpm2_ancestral(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                             const SampleSettings& settings) {
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const float sigma = sigmas[i];
    const Tensor denoised = denoise(x, sigma);
    const auto [down, up] = ancestral_step(sigma, sigmas[i + 1], settings.eta);
    const Tensor d = derivative(x, denoised, sigma);
    if (down == 0) {
      x = combine({{1.0f, x}, {down - sigma, d}});
    } else {
      const float middle = log_middle(sigma, down);
      const Tensor halfway = combine({{1.0f, x}, {middle - sigma, d}});
      const Tensor d_middle = derivative(halfway, denoise(halfway, middle), middle);
      x = combine({{1.0f, x}, {down - sigma, d_middle}});
      if (up > 0)
        x = combine({{1.0f, x}, {up, scaled(settings.noise(sigma, sigmas[i + 1]), settings.s_noise)}});
    }
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
