// PLMS: the linear multistep half of PNDM (Liu et al. 2022, arXiv:2202.09778, equations 12 and 13), here in
// x / sqrt(alpha_bar) and sigma, where its transfer step is Euler's. The first step averages the predicted
// noise at both of its ends, the following ones use Adams-Bashforth weights.
#include "sampling/samplers/adams_bashforth.h"
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_plms(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                   const SampleSettings& settings) {
  std::vector<Tensor> history;
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const float sigma = sigmas[i];
    const float next = sigmas[i + 1];
    Tensor denoised = denoise(x, sigma);
    const Tensor noise = derivative(x, denoised, sigma);
    remember_slope(history, noise);

    Tensor slope = adams_bashforth(history);
    if (i == 0 && next > 0) {
      const Tensor predicted = combine({{1.0f, denoised}, {next, noise}});
      const Tensor noise_next = derivative(predicted, denoise(predicted, next), next);
      slope = scaled(combine({{1.0f, noise}, {1.0f, noise_next}}), 0.5f);
    }
    denoised = combine({{1.0f, x}, {-sigma, slope}});
    x = combine({{1.0f, denoised}, {next, slope}});
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
