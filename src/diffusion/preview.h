// Pictures of unfinished latents: a linear map from latent channels to colours, fitted to the model's own
// VAE.
#pragma once

#include "models/vae/vae.h"

namespace maquette::diffusion {

// Colours are an affine function of the latent's channels to a good approximation, pixel by pixel. The
// function is found by least squares on a small decoded noise, once per model, so that it fits any VAE.
class LatentPreview {
 public:
  // Decodes one latent of 12 x 12 pixels.
  static LatentPreview fit(kernels::Exec& ex, const models::Vae& vae);

  // latent [1, C, h, w] as the VAE has it -> [1, 3, h, w] in [-1, 1]
  Tensor operator()(const Tensor& latent) const;

 private:
  int64_t channels_ = 0;
  std::vector<double> matrix_;  // [3][C + 1], the last column is the offset
};

}  // namespace maquette::diffusion
