#include "models/vae/vae.h"

#include <algorithm>

namespace maquette::models {

namespace {
constexpr float kVaeNormEpsilon = 1e-6f;
}

VaeConfig VaeConfig::from_json(const Json& config) {
  VaeConfig result;
  const auto number = [&config](const char* key, double otherwise) {
    return config.contains(key) && config[key].is_number() ? config[key].get<double>() : otherwise;
  };
  result.norm_groups = std::clamp<int64_t>(static_cast<int64_t>(number("norm_num_groups", 32)), 1, 4096);
  result.scaling_factor = static_cast<float>(number("scaling_factor", 0.18215));
  result.shift_factor = static_cast<float>(number("shift_factor", 0));
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

VaeHalf load_half(const nn::Scope& scope, std::string_view stages, const nn::GroupNormOptions& norm) {
  VaeHalf half{.conv_in = nn::load_conv2d(scope / "conv_in"),
               .stages = {},
               .middle = {},
               .norm_out = nn::load_group_norm(scope / "conv_norm_out", norm),
               .conv_out = nn::load_conv2d(scope / "conv_out")};
  for (int i = 0; i < scope.count(stages); ++i) {
    const nn::Scope part = scope / fmt::format("{}.{}", stages, i);
    VaeStage stage;
    for (int j = 0; j < part.count("resnets"); ++j) {
      stage.res.push_back(load_res_block(part / fmt::format("resnets.{}", j), norm));
    }
    if (part.has("downsamplers.0.conv.weight")) {
      // The published encoders pad only below and to the right before the strided convolution.
      stage.resample =
          nn::load_conv2d(part / "downsamplers.0.conv", {.stride = 2, .pad_bottom = 1, .pad_right = 1});
    } else if (part.has("upsamplers.0.conv.weight")) {
      stage.resample = nn::load_conv2d(part / "upsamplers.0.conv");
    }
    half.stages.push_back(std::move(stage));
  }
  const nn::Scope middle = scope / "mid_block";
  for (int i = 0; i < middle.count("resnets"); ++i) {
    half.middle.res.push_back(load_res_block(middle / fmt::format("resnets.{}", i), norm));
  }
  if (middle.has("attentions.0.to_q.weight")) {
    half.middle.attention =
        PixelAttention{.norm = nn::load_group_norm(middle / "attentions.0.group_norm", norm),
                       .attention = nn::load_self_attention(middle / "attentions.0", 1)};
  }
  return half;
}

}  // namespace

Vae Vae::load(const nn::Scope& scope, const VaeConfig& config) {
  Vae vae;
  vae.config_ = config;
  const nn::GroupNormOptions norm{.groups = config.norm_groups, .epsilon = kVaeNormEpsilon};
  const auto levels_of = [](const VaeHalf& half) {
    return std::ranges::count_if(half.stages,
                                 [](const VaeStage& stage) { return stage.resample.has_value(); });
  };
  if (scope.has("encoder.conv_in.weight")) {
    vae.encoder_ = load_half(scope / "encoder", "down_blocks", norm);
    vae.latent_channels_ = vae.encoder_->conv_out.out_channels() / 2;
    vae.factor_ = 1 << levels_of(*vae.encoder_);
  }
  if (scope.has("decoder.conv_in.weight")) {
    vae.decoder_ = load_half(scope / "decoder", "up_blocks", norm);
    vae.latent_channels_ = vae.decoder_->conv_in.in_channels();
    vae.factor_ = 1 << levels_of(*vae.decoder_);
  }
  if (scope.has("quant_conv.weight")) vae.quant_ = nn::load_conv2d(scope / "quant_conv");
  if (scope.has("post_quant_conv.weight")) vae.post_quant_ = nn::load_conv2d(scope / "post_quant_conv");
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
