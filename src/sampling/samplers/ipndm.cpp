// iPNDM (Zhang and Chen 2023, arXiv:2204.13902, section 4): Adams-Bashforth weights of growing order on the
// slope.
#include "sampling/samplers/adams_bashforth.h"
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_ipndm(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                    const SampleSettings& settings) {
  std::vector<Tensor> history;
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const Tensor denoised = denoise(x, sigmas[i]);
    remember_slope(history, derivative(x, denoised, sigmas[i]));
    x = sigmas[i + 1] == 0 ? denoised
                           : combine({{1.0f, x}, {sigmas[i + 1] - sigmas[i], adams_bashforth(history)}});
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
