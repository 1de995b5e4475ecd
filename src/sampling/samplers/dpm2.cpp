// The midpoint method with the midpoint taken in log sigma: DPM-Solver-2 (Lu et al. 2022, arXiv:2206.00927,
// algorithm 1) on the probability flow of Karras et al.
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_dpm2(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                   const SampleSettings& settings) {
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const float sigma = churn(x, sigmas, i, settings);
    const float next = sigmas[i + 1];
    const Tensor denoised = denoise(x, sigma);
    const Tensor d = derivative(x, denoised, sigma);
    if (next == 0) {
      x = combine({{1.0f, x}, {next - sigma, d}});
    } else {
      const float middle = log_middle(sigma, next);
      const Tensor halfway = combine({{1.0f, x}, {middle - sigma, d}});
      const Tensor d_middle = derivative(halfway, denoise(halfway, middle), middle);
      x = combine({{1.0f, x}, {next - sigma, d_middle}});
    }
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
