// DPM-Solver++(2S) (Lu et al. 2022, arXiv:2211.01095, algorithm 1, r = 1/2) with ancestral steps: the solver
// steps below the next level and new noise lifts x to it.
#include "sampling/rounded_math.h"
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_dpmpp_2s_ancestral(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                                 const SampleSettings& settings) {
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const Tensor denoised = denoise(x, sigmas[i]);
    const auto [down, up] = ancestral_step(sigmas[i], sigmas[i + 1], settings.eta);
    if (down == 0) {
      x = combine({{1.0f, x}, {down - sigmas[i], derivative(x, denoised, sigmas[i])}});
    } else {
      // Half the step in log sigma, a second look there, then the whole step with what was seen.
      const float t = -log_f32(sigmas[i]);
      const float t_next = -log_f32(down);
      const float h = t_next - t;
      const float middle = exp_f32(-(t + 0.5f * h));
      const Tensor halfway = combine({{middle / exp_f32(-t), x}, {-expm1_f32(-h * 0.5f), denoised}});
      const Tensor seen = denoise(halfway, middle);
      x = combine({{exp_f32(-t_next) / exp_f32(-t), x}, {-expm1_f32(-h), seen}});
    }
    if (sigmas[i + 1] > 0 && up > 0) {
      x = combine({{1.0f, x}, {up, scaled(settings.noise(sigmas[i], sigmas[i + 1]), settings.s_noise)}});
    }
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
