// Heun's method on the probability flow: an Euler step, then the mean of the slopes at both ends. Karras et
// al. 2022, arXiv:2206.00364, algorithm 2.
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_heun(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                   const SampleSettings& settings) {
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const float sigma = churn(x, sigmas, i, settings);
    const float next = sigmas[i + 1];
    const Tensor denoised = denoise(x, sigma);
    const Tensor d = derivative(x, denoised, sigma);
    const Tensor predicted = combine({{1.0f, x}, {next - sigma, d}});
    if (next == 0) {
      x = predicted;
    } else {
      const Tensor d_next = derivative(predicted, denoise(predicted, next), next);
      const Tensor mean = scaled(combine({{1.0f, d}, {1.0f, d_next}}), 0.5f);
      x = combine({{1.0f, x}, {next - sigma, mean}});
    }
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
