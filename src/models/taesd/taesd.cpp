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
constexpr int kMostFactor = 256;  // picture pixels per latent pixel
constexpr int64_t kPictureChannels = 3;

float number(const Json& config, const char* key, float otherwise) {
  return config.contains(key) && config[key].is_number() ? config[key].get<float>() : otherwise;
}

// y = x factor + offset on f32.
Tensor affine(const Tensor& x, float factor, float offset) {
  Tensor out = Tensor::empty(x.shape());
  std::ranges::transform(x.data(), out.data().begin(), [=](float v) { return v * factor + offset; });
  return out;
}

TaesdBlock load_block(const nn::Scope& scope, int64_t channels) {
  TaesdBlock block{.conv1 = nn::load_conv2d(scope / "conv.0", 1, {.in = channels}),
                   .conv2 = {},
                   .conv3 = {},
                   .skip = std::nullopt};
  const bool has_skip = scope.has("skip.weight");
  const int64_t out = has_skip ? 0 : block.conv1.in_channels();
  block.conv2 = nn::load_conv2d(scope / "conv.2", 1, {.in = block.conv1.out_channels()});
  block.conv3 = nn::load_conv2d(scope / "conv.4", 1, {.in = block.conv2.out_channels(), .out = out});
  if (has_skip) {
    block.skip = nn::load_conv2d(scope / "skip", 1,
                                 {.in = block.conv1.in_channels(), .out = block.conv3.out_channels()});
  }
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

// `channels`: what the next layer gets; 0: what the first one takes.
nn::Conv2d load_next_conv(const nn::Scope& layer, int stride, int64_t& channels) {
  nn::Conv2d conv = nn::load_conv2d(layer, stride, {.in = channels});
  channels = conv.out_channels();
  return conv;
}

TaesdBlock load_next_block(const nn::Scope& layer, int64_t& channels) {
  TaesdBlock block = load_block(layer, channels);
  channels = block.conv3.out_channels();
  return block;
}

std::vector<TaesdLayer> load_encoder(const nn::Scope& layers) {
  std::vector<TaesdLayer> result;
  const int end = end_of(layers);
  int64_t channels = kPictureChannels;
  for (int i = 0; i < end; ++i) {
    const nn::Scope layer = layers / std::to_string(i);
    if (is_block(layer)) {
      result.emplace_back(load_next_block(layer, channels));
    } else {
      result.emplace_back(load_next_conv(layer, i > 0 && !layer.has("bias") ? 2 : 1, channels));
    }
  }
  return result;
}

std::vector<TaesdLayer> load_decoder(const nn::Scope& layers, int upsampling) {
  std::vector<TaesdLayer> result;
  const int end = end_of(layers);
  int64_t channels = 0;
  for (int i = 0; i < end; ++i) {
    const nn::Scope layer = layers / std::to_string(i);
    if (is_block(layer)) {
      result.emplace_back(load_next_block(layer, channels));
    } else if (layer.has("weight")) {
      result.emplace_back(load_next_conv(layer, 1, channels));
    } else if (i == 1) {
      result.emplace_back(TaesdRelu{});
    } else {
      result.emplace_back(TaesdEnlarge{.factor = upsampling});
    }
  }
  if (end > 0 && channels != kPictureChannels) {
    throw Error(ErrorCode::weights, "cannot use the tiny autoencoder")
        .with("tensor", layers.full_name(std::to_string(end - 1)))
        .with("found", fmt::format("{} channels out", channels))
        .with("expected", fmt::format("{}", kPictureChannels));
  }
  return result;
}

// How many picture pixels are one latent pixel, from the factors of the layers.
class Factor {
 public:
  void grow(int factor) {
    total_ *= factor;
    if (total_ <= kMostFactor) return;
    throw Error(ErrorCode::weights, "cannot use the tiny autoencoder")
        .with("found", fmt::format("{} or more picture pixels per latent pixel", total_))
        .with("expected", fmt::format("at most {}", kMostFactor));
  }
  int total() const { return total_; }

 private:
  int total_ = 1;
};

int64_t in_channels(const TaesdLayer& layer) {
  if (const auto* conv = std::get_if<nn::Conv2d>(&layer)) return conv->in_channels();
  if (const auto* block = std::get_if<TaesdBlock>(&layer)) return block->conv1.in_channels();
  return 0;
}

int64_t out_channels(const TaesdLayer& layer) {
  if (const auto* conv = std::get_if<nn::Conv2d>(&layer)) return conv->out_channels();
  if (const auto* block = std::get_if<TaesdBlock>(&layer)) return block->conv3.out_channels();
  return 0;
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
  result.upsampling =
      static_cast<int>(std::clamp(number(config, "upsampling_scaling_factor", 2), 1.0f, 8.0f));
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
  if (!taesd.can_decode() && !taesd.can_encode()) {
    throw Error(ErrorCode::weights, "cannot load the tiny autoencoder")
        .with("found", "neither half")
        .with("expected", scope.full_name("decoder.layers.0.weight"));
  }
  Factor up;
  Factor down;
  for (const TaesdLayer& layer : taesd.decoder_) {
    if (const auto* enlarge = std::get_if<TaesdEnlarge>(&layer)) up.grow(enlarge->factor);
  }
  for (const TaesdLayer& layer : taesd.encoder_) {
    if (const auto* conv = std::get_if<nn::Conv2d>(&layer)) down.grow(conv->geometry.stride);
  }
  if (taesd.can_encode()) taesd.latent_channels_ = out_channels(taesd.encoder_.back());
  if (taesd.can_decode()) taesd.latent_channels_ = in_channels(taesd.decoder_.front());
  taesd.factor_ = taesd.can_decode() ? up.total() : down.total();
  const bool both = taesd.can_decode() && taesd.can_encode();
  if (both && (up.total() != down.total() || out_channels(taesd.encoder_.back()) != taesd.latent_channels_)) {
    throw Error(ErrorCode::weights, "cannot use the tiny autoencoder")
        .with("found", fmt::format("an encoder to {} channels and 1/{} of the size",
                                   out_channels(taesd.encoder_.back()), down.total()))
        .with("expected", fmt::format("{} channels and 1/{}, as the decoder takes them",
                                      taesd.latent_channels_, up.total()));
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
