// Ancestral sampling of DDPM (Ho et al. 2020, arXiv:2006.11239, equations 6 and 7). In x / sqrt(alpha_bar)
// and sigma the posterior of the next level, given x and the denoised picture D, is
//   mean D + (next^2 / sigma^2) (x - D),   variance next^2 (sigma^2 - next^2) / sigma^2
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_ddpm(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                   const SampleSettings& settings) {
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const float sigma = sigmas[i];
    const float next = sigmas[i + 1];
    const Tensor denoised = denoise(x, sigma);
    if (next == 0) {
      x = denoised;
    } else {
      const float ratio = next / sigma;
      const float deviation = next * std::sqrt((1 - ratio) * (1 + ratio));
      const Tensor rest = combine({{1.0f, x}, {-1.0f, denoised}});
      x = combine({{1.0f, denoised}, {ratio * ratio, rest}, {deviation, settings.noise(sigma, next)}});
    }
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
