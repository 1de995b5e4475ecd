// Euler's method on the probability flow, with optional churn: Karras et al. 2022, arXiv:2206.00364,
// algorithm 2 without the second-order correction.
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_euler(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                    const SampleSettings& settings) {
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const float sigma = churn(x, sigmas, i, settings);
    const Tensor denoised = denoise(x, sigma);
    const Tensor d = derivative(x, denoised, sigma);
    x = combine({{1.0f, x}, {sigmas[i + 1] - sigma, d}});
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
