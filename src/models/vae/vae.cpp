#include "models/vae/vae.h"

#include <algorithm>

namespace maquette::models {

namespace {
constexpr float kVaeNormEpsilon = 1e-6f;
constexpr int64_t kMostLevels = 8;  // halvings of the picture
constexpr int64_t kPictureChannels = 3;
}  // namespace

VaeConfig VaeConfig::from_json(const Json& config) {
  VaeConfig result;
  // Fields that change the arithmetic (diffusers' AutoencoderKL), and what they must be where they are there.
  const auto refuse_unless = [&config](const char* key, std::initializer_list<std::string_view> supported) {
    if (!config.contains(key) || config[key].is_null()) return;
    const Json values = config[key].is_array() ? config[key] : Json::array({config[key]});
    for (const Json& value : values) {
      if (std::ranges::any_of(supported, [&value](std::string_view s) { return value == s; })) continue;
      throw Error(ErrorCode::weights, "cannot use the VAE's configuration")
          .with("field", key)
          .with("found", config[key].dump())
          .with("expected", fmt::format("{}", fmt::join(supported, " or ")));
    }
  };
  refuse_unless("act_fn", {"silu", "swish"});
  refuse_unless("down_block_types", {"DownEncoderBlock2D"});
  refuse_unless("up_block_types", {"UpDecoderBlock2D"});
  const auto number = [&config](const char* key, double otherwise) {
    return config.contains(key) && config[key].is_number() ? config[key].get<double>() : otherwise;
  };
  result.norm_groups = static_cast<int64_t>(std::clamp(number("norm_num_groups", 32), 1.0, 4096.0));
  result.scaling_factor = static_cast<float>(number("scaling_factor", 0.18215));
  return result;
}

Tensor PixelAttention::operator()(nn::Exec& ex, const Tensor& x) const {
  const Shape tokens{x.size(0), x.size(1) * x.size(2), x.size(3)};
  return attention.self(ex, norm(ex, x).reshape(tokens), x.reshape(tokens)).reshape(x.shape());
}

Tensor VaeMiddle::operator()(nn::Exec& ex, const Tensor& x) const {
  Tensor h = x;
  for (size_t i = 0; i < res.size(); ++i) {
    h = res[i](ex, h);
    if (i == 0 && attention) h = (*attention)(ex, h);
  }
  return h;
}

namespace {

struct HalfPlace {
  std::string_view stages;  // "down_blocks" or "up_blocks"
  nn::Sizes sizes;          // of what goes in and out; 0: as the weights say
};

// The stages of one half, from `channels` on.
std::vector<VaeStage> load_stages(const nn::Scope& scope, std::string_view name,
                                  const nn::GroupNormOptions& norm, int64_t& channels) {
  std::vector<VaeStage> stages;
  const int count = scope.count(name);
  for (int i = 0; i < count; ++i) {
    const nn::Scope part = scope / fmt::format("{}.{}", name, i);
    VaeStage stage;
    const int blocks = part.count("resnets");
    for (int j = 0; j < blocks; ++j) {
      stage.res.push_back(load_res_block(part / fmt::format("resnets.{}", j), norm, {.in = channels}));
      channels = stage.res.back().conv2.out_channels();
    }
    if (part.has("downsamplers.0.conv.weight")) {
      const nn::Scope conv = part / "downsamplers.0.conv";
      // The published encoders pad only below and to the right before the strided convolution.
      stage.resample =
          nn::load_conv2d(conv, {.stride = 2, .pad_bottom = 1, .pad_right = 1}, {.in = channels});
      if (const Shape shape = conv.shape("weight"); shape[2] != 3 || shape[3] != 3) {
        conv.refuse("weight", shape, "a kernel of 3 x 3");
      }
    } else if (part.has("upsamplers.0.conv.weight")) {
      stage.resample = nn::load_conv2d(part / "upsamplers.0.conv", 1, {.in = channels});
    }
    if (stage.resample) channels = stage.resample->out_channels();
    stages.push_back(std::move(stage));
  }
  return stages;
}

VaeMiddle load_middle(const nn::Scope& scope, const nn::GroupNormOptions& norm, int64_t channels) {
  VaeMiddle middle;
  const int count = scope.count("resnets");
  // Residual blocks may not change the width here: the attention is between them.
  const nn::Sizes same{.in = channels, .out = channels};
  for (int i = 0; i < count; ++i) {
    middle.res.push_back(load_res_block(scope / fmt::format("resnets.{}", i), norm, same));
  }
  if (scope.has("attentions.0.to_q.weight")) {
    const nn::Scope attention = scope / "attentions.0";
    middle.attention = PixelAttention{.norm = nn::load_group_norm(attention / "group_norm", norm, channels),
                                      .attention = nn::load_self_attention(attention, 1, channels)};
  }
  return middle;
}

// The encoder walks its stages before the middle, the decoder after it.
VaeHalf load_half(const nn::Scope& scope, const HalfPlace& place, const nn::GroupNormOptions& norm) {
  VaeHalf half{.conv_in = nn::load_conv2d(scope / "conv_in", 1, {.in = place.sizes.in})};
  int64_t channels = half.conv_in.out_channels();
  const bool down = place.stages == "down_blocks";
  if (!down) half.middle = load_middle(scope / "mid_block", norm, channels);
  half.stages = load_stages(scope, place.stages, norm, channels);
  if (down) half.middle = load_middle(scope / "mid_block", norm, channels);
  half.norm_out = nn::load_group_norm(scope / "conv_norm_out", norm, channels);
  half.conv_out = nn::load_conv2d(scope / "conv_out", 1, {.in = channels, .out = place.sizes.out});
  return half;
}

// Picture pixels per latent pixel.
int factor_of(const nn::Scope& scope, const VaeHalf& half) {
  const int64_t levels =
      std::ranges::count_if(half.stages, [](const VaeStage& stage) { return stage.resample.has_value(); });
  if (levels > kMostLevels) {
    throw Error(ErrorCode::weights, "cannot use the VAE")
        .with("tensor", scope.full_name("conv_in.weight"))
        .with("found", fmt::format("{} levels", levels))
        .with("expected", fmt::format("at most {}", kMostLevels));
  }
  return 1 << levels;
}

}  // namespace

Vae Vae::load(const nn::Scope& scope, const VaeConfig& config) {
  Vae vae;
  vae.config_ = config;
  const nn::GroupNormOptions norm{.groups = config.norm_groups, .epsilon = kVaeNormEpsilon};
  if (!scope.has("encoder.conv_in.weight") && !scope.has("decoder.conv_in.weight")) {
    throw Error(ErrorCode::weights, "cannot load the VAE")
        .with("found", "neither half")
        .with("expected", scope.full_name("decoder.conv_in.weight"));
  }
  // Before the decoder and after the encoder may stand a 1x1 convolution; the latent is what lies between.
  if (scope.has("quant_conv.weight")) vae.quant_ = nn::load_conv2d(scope / "quant_conv");
  if (scope.has("post_quant_conv.weight")) vae.post_quant_ = nn::load_conv2d(scope / "post_quant_conv");
  if (scope.has("decoder.conv_in.weight")) {
    const int64_t in = vae.post_quant_ ? vae.post_quant_->out_channels() : 0;
    vae.decoder_ = load_half(scope / "decoder",
                             {.stages = "up_blocks", .sizes = {.in = in, .out = kPictureChannels}}, norm);
    vae.latent_channels_ =
        vae.post_quant_ ? vae.post_quant_->in_channels() : vae.decoder_->conv_in.in_channels();
    vae.factor_ = factor_of(scope / "decoder", *vae.decoder_);
  }
  if (scope.has("encoder.conv_in.weight")) {
    // Mean and log variance, each as many channels as the latent.
    const int64_t both = vae.decoder_ ? 2 * vae.latent_channels_ : 0;
    const int64_t out = vae.quant_ ? vae.quant_->in_channels() : both;
    vae.encoder_ = load_half(scope / "encoder",
                             {.stages = "down_blocks", .sizes = {.in = kPictureChannels, .out = out}}, norm);
    const nn::Conv2d& last = vae.quant_ ? *vae.quant_ : vae.encoder_->conv_out;
    if (last.out_channels() % 2 != 0 || (both != 0 && last.out_channels() != both)) {
      throw Error(ErrorCode::weights, "cannot use the VAE")
          .with("tensor", last.name)
          .with("found", last.weights->source().shape().text())
          .with("expected", fmt::format("{} channels out: a mean and a variance for each of the latent",
                                        both != 0 ? fmt::format("{}", both) : "an even number of"));
    }
    if (!vae.decoder_) vae.latent_channels_ = last.out_channels() / 2;
    const int factor = factor_of(scope / "encoder", *vae.encoder_);
    if (vae.decoder_ && factor != vae.factor_) {
      throw Error(ErrorCode::weights, "cannot use the VAE")
          .with("found", fmt::format("an encoder that divides sides by {}", factor))
          .with("expected", fmt::format("{}, as the decoder multiplies them", vae.factor_));
    }
    vae.factor_ = factor;
  }
  return vae;
}

Moments Vae::encode(nn::Exec& ex, const Tensor& picture) const {
  if (!encoder_) {
    throw Error(ErrorCode::weights, "cannot encode a picture").with("found", "a VAE without its encoder");
  }
  const VaeHalf& half = *encoder_;
  Tensor h = half.conv_in(ex, kernels::to_channels_last(ex, picture));
  for (const VaeStage& stage : half.stages) {
    for (const ResBlock& res : stage.res) h = res(ex, h);
    if (stage.resample) h = (*stage.resample)(ex, h);
  }
  h = half.conv_out(ex, half.norm_out.with_silu(ex, half.middle(ex, h)));
  if (quant_) h = (*quant_)(ex, h);

  // The first half of the channels is the mean, the second the log variance.
  const Tensor both = kernels::to_channels_first(h);
  const Shape shape{both.size(0), both.size(1) / 2, both.size(2), both.size(3)};
  Moments moments{.mean = Tensor::empty(shape), .log_variance = Tensor::empty(shape)};
  const int64_t part = shape.elements() / shape[0];
  for (int64_t i = 0; i < shape[0]; ++i) {
    const auto from = both.rows(i, i + 1).data();
    std::ranges::copy(from.first(static_cast<size_t>(part)), moments.mean.rows(i, i + 1).data().begin());
    std::ranges::transform(from.last(static_cast<size_t>(part)),
                           moments.log_variance.rows(i, i + 1).data().begin(),
                           [](float v) { return std::clamp(v, -30.0f, 20.0f); });
  }
  return moments;
}

Tensor Vae::decode(nn::Exec& ex, const Tensor& latent) const {
  if (!decoder_) {
    throw Error(ErrorCode::weights, "cannot decode a latent").with("found", "a VAE without its decoder");
  }
  const VaeHalf& half = *decoder_;
  Tensor h = kernels::to_channels_last(ex, latent);
  if (post_quant_) h = (*post_quant_)(ex, h);
  h = half.middle(ex, half.conv_in(ex, h));
  ex.trace("decoder.mid_block", h);
  for (const VaeStage& stage : half.stages) {
    for (const ResBlock& res : stage.res) h = res(ex, h);
    if (stage.resample) h = stage.resample->enlarged(ex, h);
    ex.trace("decoder.stage", h);
  }
  return kernels::to_channels_first(half.conv_out(ex, half.norm_out.with_silu(ex, h)));
}

}  // namespace maquette::models
