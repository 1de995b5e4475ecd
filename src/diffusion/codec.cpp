#include "diffusion/codec.h"

#include <algorithm>
#include <cmath>

#include "nn/finite.h"

namespace maquette::diffusion {

namespace {

// What an autoencoder gives back is read as far as the job's own sizes say.
void check_result(const Tensor& result, const Shape& expected) {
  if (!(result.shape() == expected)) {
    throw Error(ErrorCode::weights, "the autoencoder gives another shape than its layers say")
        .with("found", result.shape().text())
        .with("expected", expected.text());
  }
  nn::require_finite(result, "the autoencoder");
}

}  // namespace

int64_t Codec::latent_channels() const { return vae_ ? vae_->latent_channels() : taesd_->latent_channels(); }

int Codec::factor() const { return vae_ ? vae_->factor() : taesd_->factor(); }

bool Codec::can_encode() const { return vae_ ? vae_->can_encode() : taesd_->can_encode(); }

Tensor Codec::encode(kernels::Exec& ex, const Tensor& picture, const NoiseFunction& noise,
                     const TileOptions& tiles) const {
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
  check_result(latent,
               {picture.size(0), latent_channels(), picture.size(2) / factor(), picture.size(3) / factor()});
  for (float& v : latent.data()) v *= scaling();
  return latent;
}

Tensor Codec::unscaled(const Tensor& latent) const {
  Tensor out = latent.clone();
  for (float& v : out.data()) v /= scaling();
  return out;
}

Tensor Codec::decode(kernels::Exec& ex, const Tensor& latent, const TileOptions& tiles) const {
  const Tensor own = unscaled(latent);
  const Tensor picture = taesd_ ? taesd_->decode(ex, own) : decode_tiled(ex, *vae_, own, tiles);
  check_result(picture, {latent.size(0), 3, latent.size(2) * factor(), latent.size(3) * factor()});
  return picture;
}

float Codec::scaling() const {
  return vae_ ? vae_->config().scaling_factor : taesd_->config().scaling_factor;
}

}  // namespace maquette::diffusion
