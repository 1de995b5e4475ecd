// Codec: the step between pictures and the latents that are sampled, by a KL-VAE or a TAESD, with the scaling
// that belongs to it.
#pragma once

#include <functional>
#include <optional>

#include "diffusion/tiled_vae.h"
#include "models/taesd/taesd.h"
#include "models/vae/vae.h"

namespace maquette::diffusion {

class Codec {
 public:
  explicit Codec(models::Vae vae) : vae_(std::move(vae)) {}
  explicit Codec(models::Taesd taesd) : taesd_(std::move(taesd)) {}

  int64_t latent_channels() const;
  int factor() const;  // picture pixels per latent pixel
  bool can_encode() const;
  const models::Vae* vae() const { return vae_ ? &*vae_ : nullptr; }

  // picture [N, 3, H, W] in [-1, 1] -> latent [N, C, h, w] as it is sampled. `noise` draws [N, C, h, w] for
  // the random part of a VAE's distribution; absent: the mean.
  using NoiseFunction = std::function<Tensor(const Shape&)>;
  Tensor encode(kernels::Exec& ex, const Tensor& picture, const NoiseFunction& noise,
                const TileOptions& tiles) const;
  // latent [N, C, h, w] as it was sampled -> picture [N, 3, H, W], about [-1, 1], not clamped
  Tensor decode(kernels::Exec& ex, const Tensor& latent, const TileOptions& tiles) const;
  // The VAE's own scale, for previews.
  Tensor unscaled(const Tensor& latent) const;

  // What the codec's latents are multiplied by to become those that are sampled.
  float scaling() const;

 private:
  std::optional<models::Vae> vae_;
  std::optional<models::Taesd> taesd_;
};

}  // namespace maquette::diffusion
