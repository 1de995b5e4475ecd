// The autoencoder between pictures and latents (KL-VAE of Rombach et al. 2022), of any number of levels.
//
//   picture [N, 3, H, W] in [-1, 1]  --encoder-->  mean, log variance [N, C, H/f, W/f]
//   latent  [N, C, h, w]             --decoder-->  picture [N, 3, h f, w f]
//   f = 2^downsamplers: 8 for Stable Diffusion, 4 for the starter model
#pragma once

#include <optional>
#include <vector>

#include "base/json.h"
#include "models/unet/res_block.h"
#include "nn/attention.h"

namespace maquette::models {

struct VaeConfig {
  int64_t norm_groups = 32;
  float scaling_factor = 0.18215f;  // latents of the UNet = latents of the VAE * scaling_factor

  // From the config.json of a diffusers folder; an empty object gives the defaults above. "shift_factor" is
  // left alone: the pipelines of Stable Diffusion do not use it.
  static VaeConfig from_json(const Json& config);
};

// Attention of all pixels with each other, one head: the middle of both halves.
struct PixelAttention {
  nn::GroupNorm norm;
  nn::Attention attention;

  Tensor operator()(nn::Exec& ex, const Tensor& x) const;
};

struct VaeMiddle {
  std::vector<ResBlock> res;  // with an attention after the first, where loaded
  std::optional<PixelAttention> attention;

  Tensor operator()(nn::Exec& ex, const Tensor& x) const;
};

struct VaeStage {
  std::vector<ResBlock> res;
  std::optional<nn::Conv2d> resample;  // encoder: stride 2; decoder: after nearest-neighbour doubling
};

// One half: the encoder walks its stages down, the decoder up.
struct VaeHalf {
  nn::Conv2d conv_in;
  std::vector<VaeStage> stages;
  VaeMiddle middle;
  nn::GroupNorm norm_out;
  nn::Conv2d conv_out;
};

struct Moments {  // of the latent distribution, [N, C, h, w] f32
  Tensor mean;
  Tensor log_variance;  // clamped to [-30, 20]
};

class Vae {
 public:
  // Loads the halves that the file has.
  static Vae load(const nn::Scope& scope, const VaeConfig& config);

  bool can_encode() const { return encoder_.has_value(); }
  int64_t latent_channels() const { return latent_channels_; }
  int64_t finest_channels() const {
    return decoder_ ? decoder_->conv_out.in_channels() : 0;
  }                                       // of the decoder
  int factor() const { return factor_; }  // picture pixels per latent pixel
  const VaeConfig& config() const { return config_; }

  Moments encode(nn::Exec& ex, const Tensor& picture) const;  // picture [N, 3, H, W] in [-1, 1]
  Tensor decode(nn::Exec& ex,
                const Tensor& latent) const;  // latent as the VAE has it -> [N, 3, H, W], not clamped

 private:
  std::optional<VaeHalf> encoder_;
  std::optional<VaeHalf> decoder_;
  std::optional<nn::Conv2d> quant_;
  std::optional<nn::Conv2d> post_quant_;
  VaeConfig config_;
  int64_t latent_channels_ = 4;
  int factor_ = 8;
};

}  // namespace maquette::models
