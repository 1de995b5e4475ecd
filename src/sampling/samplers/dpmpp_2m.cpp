// DPM-Solver++(2M): second order, one model call per step. Lu et al. 2022, arXiv:2211.01095, algorithm 2.
//
// In lambda = -log(sigma) the step is h = lambda_next - lambda, and with r = h_previous / h
//   target = (1 + 1 / 2r) D - (1 / 2r) D_previous          D: the denoised image
//   x_next = (sigma_next / sigma) x - (e^-h - 1) target
// The first step has no history, and the step to sigma = 0 no finite h: there, target = D.
#include <optional>

#include "sampling/rounded_math.h"
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_dpmpp_2m(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                       const SampleSettings& settings) {
  std::optional<Tensor> previous;
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const Tensor denoised = denoise(x, sigmas[i]);
    const float t = -log_f32(sigmas[i]);
    const float t_next = -log_f32(sigmas[i + 1]);
    const float h = t_next - t;
    Tensor target = denoised;
    if (previous && sigmas[i + 1] > 0) {
      const float r = (t + log_f32(sigmas[i - 1])) / h;
      target = combine({{1 + 1 / (2 * r), denoised}, {-(1 / (2 * r)), *previous}});
    }
    x = combine({{exp_f32(-t_next) / exp_f32(-t), x}, {-expm1_f32(-h), target}});
    previous = denoised;
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
