// DPM-Solver++(3M) for the diffusion SDE: the third-order multistep form of Lu et al. 2022, arXiv:2211.01095,
// appendix B, with the noise of the SDE as k-diffusion adds it. With phi_2 = (e^-h - 1) / h + 1 and
// phi_3 = phi_2 / h - 1/2 (h including eta),
//   x_next = e^-h x - (e^-h - 1) D + phi_2 D' - phi_3 D''
// where D' and D'' are divided differences of the latest denoised images.
#include "sampling/rounded_math.h"
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_dpmpp_3m_sde(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                           const SampleSettings& settings) {
  std::vector<Tensor> history;  // earlier denoised images, the newest first
  std::vector<float> steps;     // earlier h, the newest first
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const float next = sigmas[i + 1];
    const Tensor denoised = denoise(x, sigmas[i]);
    if (next == 0) {
      x = denoised;
    } else {
      const float h = -log_f32(next) + log_f32(sigmas[i]);
      const float h_eta = h * (settings.eta + 1);
      x = combine({{exp_f32(-h_eta), x}, {-expm1_f32(-h_eta), denoised}});
      const float phi_2 = expm1_f32(-h_eta) / h_eta + 1;
      if (history.size() >= 2) {
        const float r0 = steps[0] / h;
        const float r1 = steps[1] / h;
        const Tensor d1_0 = difference_over(denoised, history[0], r0);
        const Tensor d1_1 = difference_over(history[0], history[1], r1);
        const Tensor change = combine({{1.0f, d1_0}, {-1.0f, d1_1}});
        const Tensor d1 = combine({{1.0f, d1_0}, {r0 / (r0 + r1), change}});
        const Tensor d2 = divided(change, r0 + r1);
        x = combine({{1.0f, x}, {phi_2, d1}, {-(phi_2 / h_eta - 0.5f), d2}});
      } else if (history.size() == 1) {
        x = combine({{1.0f, x}, {phi_2, difference_over(denoised, history[0], steps[0] / h)}});
      }
      if (settings.eta > 0) {
        const float deviation = next * std::sqrt(-expm1_f32(-2 * h * settings.eta)) * settings.s_noise;
        x = combine({{1.0f, x}, {deviation, settings.noise(sigmas[i], next)}});
      }
      steps.insert(steps.begin(), h);
    }
    history.insert(history.begin(), denoised);
    if (history.size() > 2) history.pop_back();
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
