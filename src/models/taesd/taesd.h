// The tiny autoencoder (TAESD, by Ollin Boer Bohan): a few residual blocks between pictures and the latents
// of the UNet, for previews while sampling and for quick decoding.
//
//   picture [N, 3, H, W] in [-1, 1]  --encoder-->  latent [N, C, H/f, W/f]
//   latent  [N, C, h, w]             --decoder-->  picture [N, 3, h f, w f]
//
// Latents are the scaled ones that the UNet sees: no scaling factor of a KL-VAE applies. f = 8 in the
// published files (three halvings); the halvings found in the weights decide.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "base/json.h"
#include "nn/layers.h"

namespace maquette::models {

struct TaesdConfig {
  float latent_magnitude = 3;  // latents lie within +- this, see scale_latents
  float latent_shift = 0.5f;
  float scaling_factor = 1;  // of the UNet's latents; 1 in all published files
  int upsampling = 2;        // factor of each enlargement

  // From the config.json of a diffusers folder; an empty object gives the defaults above. Throws
  // Error(weights) on what no published network has.
  static TaesdConfig from_json(const Json& config);
};

// relu(conv(relu(conv(relu(conv(x))))) + skip(x))
struct TaesdBlock {
  nn::Conv2d conv1, conv2, conv3;
  std::optional<nn::Conv2d> skip;  // 1x1, only where the channels change

  Tensor operator()(nn::Exec& ex, const Tensor& x) const;
};

struct TaesdRelu {};
struct TaesdEnlarge {  // nearest-neighbour
  int factor = 2;
};
using TaesdLayer = std::variant<nn::Conv2d, TaesdBlock, TaesdRelu, TaesdEnlarge>;

class Taesd {
 public:
  // Names as diffusers has them: encoder.layers.N, decoder.layers.N. Loads the halves that the file has;
  // throws Error(weights) where it has neither.
  static Taesd load(const nn::Scope& scope, const TaesdConfig& config);

  bool can_encode() const { return !encoder_.empty(); }
  bool can_decode() const { return !decoder_.empty(); }
  int64_t latent_channels() const { return latent_channels_; }
  int factor() const { return factor_; }  // picture pixels per latent pixel
  const TaesdConfig& config() const { return config_; }

  Tensor encode(nn::Exec& ex, const Tensor& picture) const;  // picture [N, 3, H, W] in [-1, 1] -> latent f32
  Tensor decode(nn::Exec& ex, const Tensor& latent) const;   // -> [N, 3, H, W] f32 about [-1, 1], not clamped

  // Latents as numbers that fit a picture's range: x / (2 magnitude) + shift, cut to [0, 1]; and back.
  Tensor scale_latents(const Tensor& latent) const;
  Tensor unscale_latents(const Tensor& scaled) const;

 private:
  std::vector<TaesdLayer> encoder_;
  std::vector<TaesdLayer> decoder_;
  TaesdConfig config_;
  int64_t latent_channels_ = 4;
  int factor_ = 8;
};

}  // namespace maquette::models
