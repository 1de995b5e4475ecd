// Trajectory consistency sampling (Zheng et al. 2024, arXiv:2402.19159, algorithm 4): jump along the
// predicted noise to the timestep s = floor((1 - gamma) t_next), below the next one, then add noise up to it.
// gamma is eta here; at 0 this is DDIM.
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

Tensor sample_tcd(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                  const SampleSettings& settings) {
  if (!settings.levels)
    throw Error(ErrorCode::failed, "cannot sample with tcd without the trained noise levels");
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const float next = sigmas[i + 1];
    const Tensor denoised = denoise(x, sigmas[i]);
    if (next == 0) {
      x = denoised;
    } else {
      const double t = (1 - static_cast<double>(settings.eta)) * settings.levels->timestep_of(next);
      const float below = settings.levels->sigmas()[static_cast<size_t>(std::floor(t + 1e-4))];
      const float down = settings.eta == 0 ? next : std::min(below, next);
      x = combine({{1.0f, denoised}, {down, derivative(x, denoised, sigmas[i])}});
      const float up = std::sqrt((next - down) * (next + down));
      if (up > 0) x = combine({{1.0f, x}, {up, settings.noise(sigmas[i], next)}});
    }
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
