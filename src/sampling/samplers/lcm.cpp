// Multistep consistency sampling (Luo et al. 2023, arXiv:2310.04378, algorithm 3): every step jumps to the
// clean latent and puts fresh noise of the next level on it.
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_lcm(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                  const SampleSettings& settings) {
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const Tensor denoised = denoise(x, sigmas[i]);
    x = sigmas[i + 1] > 0
            ? combine({{1.0f, denoised}, {sigmas[i + 1], settings.noise(sigmas[i], sigmas[i + 1])}})
            : denoised;
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
