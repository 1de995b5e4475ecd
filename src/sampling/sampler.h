// Samplers as k-diffusion defines them: functions over a denoiser D(x, sigma) and a falling list of noise
// levels, where x = picture + sigma * noise.
#pragma once

#include <functional>
#include <limits>
#include <span>

#include "sampling/schedule.h"
#include "tensor/tensor.h"

namespace maquette::sampling {

// The estimate of the clean latent in x at noise level sigma. May throw, to cancel.
using Denoiser = std::function<Tensor(const Tensor& x, float sigma)>;

// Told after every step; may change x.
struct SamplerStep {
  int index;  // from 0
  int total;
  float sigma;       // the level before the step
  float sigma_next;  // and after it
  Tensor& x;
  const Tensor& denoised;  // the estimate that the step began with
};

struct SampleSettings {
  float eta = 1;      // how much of the noise of an ancestral or SDE step is new
  float s_churn = 0;  // Karras et al. 2022, algorithm 2
  float s_tmin = 0;
  float s_tmax = std::numeric_limits<float>::infinity();
  float s_noise = 1;
  bool churn_draws_always = false;      // draw the churn noise of every step, needed or not, as A1111 does
  bool heun = false;                    // dpm++2m-sde: the Heun form of the second-order term
  int order = 0;                        // of multistep samplers; 0: the sampler's own
  bool bh1 = true;                      // unipc: B(h) = h; otherwise B(h) = exp(h) - 1
  const NoiseLevels* levels = nullptr;  // tcd needs the trained levels
  // Standard normal noise for the step between two levels, and for churning where it comes from elsewhere.
  std::function<Tensor(float sigma, float sigma_next)> noise;
  std::function<Tensor()> churn_noise;
  std::function<void(const SamplerStep&)> after_step;
};

using SampleFunction = Tensor (*)(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                                  const SampleSettings& settings);

Tensor sample_ddim(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_ddpm(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_plms(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_lms(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_euler(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_euler_ancestral(const Denoiser&, Tensor x, std::span<const float> sigmas,
                              const SampleSettings&);
Tensor sample_heun(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_dpm2(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_dpm2_ancestral(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_dpmpp_2s_ancestral(const Denoiser&, Tensor x, std::span<const float> sigmas,
                                 const SampleSettings&);
Tensor sample_dpmpp_2m(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_dpmpp_sde(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_dpmpp_2m_sde(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_dpmpp_3m_sde(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_unipc(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_deis(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_lcm(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_tcd(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_ipndm(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);
Tensor sample_restart(const Denoiser&, Tensor x, std::span<const float> sigmas, const SampleSettings&);

}  // namespace maquette::sampling
