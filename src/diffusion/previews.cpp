#include "diffusion/previews.h"

#include "diffusion/model.h"

namespace maquette::diffusion {

const Codec* Previews::decoder_of(const Request& request) {
  const Codec& own = request.codec;
  if (request.decoder.empty()) return own.vae() ? nullptr : &own;
  if (!taesd_ || taesd_path_ != request.decoder) {
    taesd_ = load_codec(request.decoder, {});
    taesd_path_ = request.decoder;
    if (taesd_->vae() || taesd_->latent_channels() != own.latent_channels() ||
        taesd_->factor() != own.factor()) {
      throw Error(ErrorCode::weights, "cannot make previews with \"{}\"", request.decoder)
          .with("found", taesd_->vae() ? "a VAE"
                                       : fmt::format("{} latent channels, factor {}",
                                                     taesd_->latent_channels(), taesd_->factor()))
          .with("expected",
                fmt::format("a TAESD of {} latent channels, factor {}", own.latent_channels(), own.factor()));
    }
  }
  return &*taesd_;
}

Tensor Previews::make(kernels::Exec& ex, const Tensor& denoised, const Request& request) {
  if (const Codec* small = decoder_of(request)) return small->decode(ex, denoised, request.tiles);
  if (!fitted_) fitted_ = LatentPreview::fit(ex, *request.codec.vae());
  return (*fitted_)(request.codec.unscaled(denoised));
}

}  // namespace maquette::diffusion
