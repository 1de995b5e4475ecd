#include "diffusion/codec.h"

#include <algorithm>
#include <cmath>

namespace maquette::diffusion {

int64_t Codec::latent_channels() const { return vae_ ? vae_->latent_channels() : taesd_->latent_channels(); }

int Codec::factor() const { return vae_ ? vae_->factor() : taesd_->factor(); }

bool Codec::can_encode() const { return vae_ ? vae_->can_encode() : taesd_->can_encode(); }

Tensor Codec::encode(kernels::Exec& ex, const Tensor& picture, const NoiseFunction& noise,
                     const TileOptions& tiles) const {
  const auto [scale, shift] = scaling();
  Tensor latent;
  if (taesd_) {
    latent = taesd_->encode(ex, picture).clone();
  } else {
    const models::Moments moments = encode_tiled(ex, *vae_, picture, tiles);
    latent = moments.mean.clone();
    if (noise) {
      const Tensor drawn = noise(latent.shape());
      const auto log_variance = moments.log_variance.data();
      auto values = latent.data();
      for (size_t i = 0; i < values.size(); ++i)
        values[i] += std::exp(0.5f * log_variance[i]) * drawn.data()[i];
    }
  }
  for (float& v : latent.data()) v = (v - shift) * scale;
  return latent;
}

Tensor Codec::unscaled(const Tensor& latent) const {
  const auto [scale, shift] = scaling();
  Tensor out = latent.clone();
  for (float& v : out.data()) v = v / scale + shift;
  return out;
}

Tensor Codec::decode(kernels::Exec& ex, const Tensor& latent, const TileOptions& tiles) const {
  if (taesd_) return taesd_->decode(ex, unscaled(latent));
  return decode_tiled(ex, *vae_, unscaled(latent), tiles);
}

std::pair<float, float> Codec::scaling() const {
  if (vae_) return {vae_->config().scaling_factor, vae_->config().shift_factor};
  return {taesd_->config().scaling_factor, taesd_->config().shift_factor};
}

}  // namespace maquette::diffusion
