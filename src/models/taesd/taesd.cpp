// Both halves are one row of numbered layers, of which only those with weights are in the file. What the gaps
// are follows from their place: in the decoder, the one after the first convolution is a ReLU and all others
// enlarge; the encoder has none. Convolutions without bias inside the encoder halve the picture. Conventions
// as diffusers' AutoencoderTiny: pictures in [-1, 1] outside, [0, 1] inside; the decoder first bends latents
// beyond +-3 back, 3 tanh(x / 3).
#include "models/taesd/taesd.h"

#include <algorithm>

namespace maquette::models {

namespace {

constexpr float kLatentLimit = 3;
constexpr int kMostLayers = 1000;

float number(const Json& config, const char* key, float otherwise) {
  return config.contains(key) && config[key].is_number() ? config[key].get<float>() : otherwise;
}

// y = x factor + offset on f32.
Tensor affine(const Tensor& x, float factor, float offset) {
  Tensor out = Tensor::empty(x.shape());
  std::ranges::transform(x.data(), out.data().begin(), [=](float v) { return v * factor + offset; });
  return out;
}

TaesdBlock load_block(const nn::Scope& scope) {
  TaesdBlock block{.conv1 = nn::load_conv2d(scope / "conv.0"),
                   .conv2 = nn::load_conv2d(scope / "conv.2"),
                   .conv3 = nn::load_conv2d(scope / "conv.4"),
                   .skip = std::nullopt};
  if (scope.has("skip.weight")) block.skip = nn::load_conv2d(scope / "skip");
  return block;
}

bool is_block(const nn::Scope& layer) { return layer.has("conv.0.weight"); }

// The number after the last layer with weights.
int end_of(const nn::Scope& layers) {
  int end = 0;
  for (int i = 0; i < std::min(end + 8, kMostLayers); ++i) {
    const nn::Scope layer = layers / std::to_string(i);
    if (layer.has("weight") || is_block(layer)) end = i + 1;
  }
  return end;
}

std::vector<TaesdLayer> load_encoder(const nn::Scope& layers) {
  std::vector<TaesdLayer> result;
  const int end = end_of(layers);
  for (int i = 0; i < end; ++i) {
    const nn::Scope layer = layers / std::to_string(i);
    if (is_block(layer)) {
      result.emplace_back(load_block(layer));
    } else {
      result.emplace_back(nn::load_conv2d(layer, i > 0 && !layer.has("bias") ? 2 : 1));
    }
  }
  return result;
}

std::vector<TaesdLayer> load_decoder(const nn::Scope& layers, int upsampling) {
  std::vector<TaesdLayer> result;
  const int end = end_of(layers);
  for (int i = 0; i < end; ++i) {
    const nn::Scope layer = layers / std::to_string(i);
    if (is_block(layer)) {
      result.emplace_back(load_block(layer));
    } else if (layer.has("weight")) {
      result.emplace_back(nn::load_conv2d(layer));
    } else if (i == 1) {
      result.emplace_back(TaesdRelu{});
    } else {
      result.emplace_back(TaesdEnlarge{.factor = upsampling});
    }
  }
  return result;
}

struct RunLayer {
  nn::Exec& ex;
  const Tensor& x;

  Tensor operator()(const nn::Conv2d& conv) const { return conv(ex, x); }
  Tensor operator()(const TaesdBlock& block) const { return block(ex, x); }
  Tensor operator()(const TaesdRelu&) const { return kernels::activation(ex, x, nn::Activation::relu); }
  Tensor operator()(const TaesdEnlarge& enlarge) const {
    return kernels::resize_nearest(ex, x, x.size(1) * enlarge.factor, x.size(2) * enlarge.factor);
  }
};

Tensor run(nn::Exec& ex, std::string_view name, const std::vector<TaesdLayer>& layers, Tensor h) {
  for (size_t i = 0; i < layers.size(); ++i) {
    h = std::visit(RunLayer{.ex = ex, .x = h}, layers[i]);
    ex.trace(fmt::format("{}.layers.{}", name, i), h);
  }
  return h;
}

}  // namespace

TaesdConfig TaesdConfig::from_json(const Json& config) {
  for (const auto& [key, wanted] : {std::pair("act_fn", "relu"), std::pair("upsample_fn", "nearest")}) {
    if (config.contains(key) && config[key] != wanted) {
      throw Error(ErrorCode::weights, "cannot use the tiny autoencoder's configuration")
          .with("field", key)
          .with("found", config[key].dump())
          .with("expected", wanted);
    }
  }
  TaesdConfig result;
  result.latent_magnitude = number(config, "latent_magnitude", result.latent_magnitude);
  result.latent_shift = number(config, "latent_shift", result.latent_shift);
  result.scaling_factor = number(config, "scaling_factor", result.scaling_factor);
  result.shift_factor = number(config, "shift_factor", result.shift_factor);
  result.upsampling = std::clamp(static_cast<int>(number(config, "upsampling_scaling_factor", 2)), 1, 8);
  return result;
}

Tensor TaesdBlock::operator()(nn::Exec& ex, const Tensor& x) const {
  const Tensor straight = skip ? (*skip)(ex, x) : x;
  Tensor h = conv1(ex, x, {.activation = nn::Activation::relu});
  h = conv2(ex, h, {.activation = nn::Activation::relu});
  return kernels::activation(ex, conv3(ex, h, {.residual = &straight}), nn::Activation::relu);
}

Taesd Taesd::load(const nn::Scope& scope, const TaesdConfig& config) {
  Taesd taesd;
  taesd.config_ = config;
  taesd.encoder_ = load_encoder(scope / "encoder.layers");
  taesd.decoder_ = load_decoder(scope / "decoder.layers", config.upsampling);
  taesd.factor_ = 1;
  if (taesd.can_decode()) {
    for (const TaesdLayer& layer : taesd.decoder_) {
      if (const auto* enlarge = std::get_if<TaesdEnlarge>(&layer)) taesd.factor_ *= enlarge->factor;
    }
    if (const auto* first = std::get_if<nn::Conv2d>(&taesd.decoder_.front())) {
      taesd.latent_channels_ = first->in_channels();
    }
  } else if (taesd.can_encode()) {
    for (const TaesdLayer& layer : taesd.encoder_) {
      if (const auto* conv = std::get_if<nn::Conv2d>(&layer)) taesd.factor_ *= conv->geometry.stride;
    }
    if (const auto* last = std::get_if<nn::Conv2d>(&taesd.encoder_.back())) {
      taesd.latent_channels_ = last->out_channels();
    }
  } else {
    throw Error(ErrorCode::weights, "cannot load the tiny autoencoder")
        .with("found", "neither half")
        .with("expected", scope.full_name("decoder.layers.0.weight"));
  }
  return taesd;
}

Tensor Taesd::encode(nn::Exec& ex, const Tensor& picture) const {
  if (!can_encode()) {
    throw Error(ErrorCode::weights, "cannot encode a picture")
        .with("found", "a tiny autoencoder without its encoder");
  }
  return kernels::to_channels_first(
      run(ex, "encoder", encoder_, kernels::to_channels_last(ex, affine(picture, 0.5f, 0.5f))));
}

Tensor Taesd::decode(nn::Exec& ex, const Tensor& latent) const {
  if (!can_decode()) {
    throw Error(ErrorCode::weights, "cannot decode a latent")
        .with("found", "a tiny autoencoder without its decoder");
  }
  const Tensor scaled = affine(latent, 1 / kLatentLimit, 0);
  const Tensor bent = affine(kernels::activation(ex, scaled, nn::Activation::tanh), kLatentLimit, 0);
  const Tensor picture =
      kernels::to_channels_first(run(ex, "decoder", decoder_, kernels::to_channels_last(ex, bent)));
  return affine(picture, 2, -1);
}

Tensor Taesd::scale_latents(const Tensor& latent) const {
  Tensor scaled = affine(latent, 1 / (2 * config_.latent_magnitude), config_.latent_shift);
  for (float& value : scaled.data()) value = std::clamp(value, 0.0f, 1.0f);
  return scaled;
}

Tensor Taesd::unscale_latents(const Tensor& scaled) const {
  const float range = 2 * config_.latent_magnitude;
  return affine(scaled, range, -config_.latent_shift * range);
}

}  // namespace maquette::models
