// DDIM (Song et al. 2021, arXiv:2010.02502, equation 12). In x / sqrt(alpha_bar) and sigma it is Euler's
// method, with the share eta of the posterior's noise added anew.
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_ddim(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                   const SampleSettings& settings) {
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const Tensor denoised = denoise(x, sigmas[i]);
    const auto [down, up] = ancestral_step(sigmas[i], sigmas[i + 1], settings.eta);
    const Tensor predicted_noise = derivative(x, denoised, sigmas[i]);
    x = combine({{1.0f, denoised}, {down, predicted_noise}});
    if (up > 0) x = combine({{1.0f, x}, {up, settings.noise(sigmas[i], sigmas[i + 1])}});
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
