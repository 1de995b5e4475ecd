// DPM-Solver++(2M) for the diffusion SDE: Lu et al. 2022, arXiv:2211.01095, section 5 (SDE-DPM-Solver++(2M)),
// with eta scaling the noise as in k-diffusion. The second-order term has a midpoint and a Heun form.
#include <optional>

#include "sampling/rounded_math.h"
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_dpmpp_2m_sde(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                           const SampleSettings& settings) {
  std::optional<Tensor> previous;
  float h_previous = 0;
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const float next = sigmas[i + 1];
    const Tensor denoised = denoise(x, sigmas[i]);
    if (next == 0) {
      x = denoised;
    } else {
      const float h = -log_f32(next) + log_f32(sigmas[i]);
      const float eta_h = settings.eta * h;
      const float pull = -expm1_f32(-h - eta_h);
      x = combine({{next / sigmas[i] * exp_f32(-eta_h), x}, {pull, denoised}});
      if (previous) {
        const float r = h_previous / h;
        const float weight = settings.heun ? (pull / (-h - eta_h) + 1) * (1 / r) : 0.5f * pull * (1 / r);
        x = combine({{1.0f, x}, {weight, combine({{1.0f, denoised}, {-1.0f, *previous}})}});
      }
      if (settings.eta > 0) {
        const float deviation = next * std::sqrt(-expm1_f32(-2 * eta_h)) * settings.s_noise;
        x = combine({{1.0f, x}, {deviation, settings.noise(sigmas[i], next)}});
      }
      h_previous = h;
    }
    previous = denoised;
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
