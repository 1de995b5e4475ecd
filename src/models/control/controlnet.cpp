#include "models/control/controlnet.h"

#include <algorithm>
#include <cmath>

#include "models/control/pictures.h"

namespace maquette::models {

// --- loading ---

ControlNetConfig ControlNetConfig::from_json(const Json& config) {
  ControlNetConfig result{.unet = UNetConfig::from_json(config)};
  if (config.contains("controlnet_conditioning_channel_order")) {
    const Json& order = config["controlnet_conditioning_channel_order"];
    if (order != "rgb" && order != "bgr") {
      throw Error(ErrorCode::weights, "cannot use the ControlNet's configuration")
          .with("field", "controlnet_conditioning_channel_order")
          .with("found", order.dump())
          .with("expected", "rgb or bgr");
    }
    result.blue_first = order == "bgr";
  }
  if (config.contains("global_pool_conditions") && config["global_pool_conditions"].is_boolean()) {
    result.global_pool = config["global_pool_conditions"].get<bool>();
  }
  return result;
}

namespace {

constexpr int kMostHalvings = 8;  // of the control picture on its way to the latent's size

void refuse_other_kinds(const nn::Scope& scope) {
  const auto refuse = [](std::string_view found, std::string_view hint) {
    throw Error(ErrorCode::weights, "cannot load the ControlNet").with("found", found).hint("{}", hint);
  };
  if (scope.has("lora_controlnet")) refuse("a Control-LoRA", "full ControlNets are supported");
  if (scope.has("task_embedding") || scope.has("control_add_embedding.linear_1.weight")) {
    refuse("a ControlNet of many kinds in one (union)",
           "ControlNets of one kind are supported, several at once");
  }
}

HintNetwork load_hint(const nn::Scope& scope, int64_t out) {
  HintNetwork hint{.in = nn::load_conv2d(scope / "conv_in"), .blocks = {}, .out = {}};
  if (hint.in.in_channels() != 1 && hint.in.in_channels() != 3) {
    (scope / "conv_in")
        .refuse("weight", hint.in.weights->source().shape(), "a picture of 1 or 3 channels in");
  }
  int64_t channels = hint.in.out_channels();
  const int count = scope.count("blocks");
  if (count > 2 * kMostHalvings + 1) {
    throw Error(ErrorCode::weights, "cannot load the ControlNet")
        .with("tensor", scope.full_name("blocks"))
        .with("found", count)
        .with("expected", fmt::format("at most {}", 2 * kMostHalvings + 1));
  }
  for (int i = 0; i < count; ++i) {
    const nn::Scope block = scope / fmt::format("blocks.{}", i);
    hint.blocks.push_back(nn::load_conv2d(block, i % 2 == 1 ? 2 : 1, {.in = channels}));
    channels = hint.blocks.back().out_channels();
  }
  hint.out = nn::load_conv2d(scope / "conv_out", 1, {.in = channels, .out = out});
  return hint;
}

int64_t heads_at(const UNetConfig& config, int level) {
  if (config.heads.empty()) return 0;
  return config.heads[std::min(static_cast<size_t>(std::max(level, 0)), config.heads.size() - 1)];
}

}  // namespace

ControlNet ControlNet::load(const nn::Scope& scope, const ControlNetConfig& config) {
  refuse_other_kinds(scope);
  ControlNet net;
  net.config_ = config;
  net.time_ = load_time_embedding(scope, config.unet);
  net.conv_in_ = nn::load_conv2d(scope / "conv_in");
  net.hint_ = load_hint(scope / "controlnet_cond_embedding", net.conv_in_.out_channels());
  Walk walk{.channels = net.conv_in_.out_channels(),
            .time_width = net.time_.linear_2.out_features(),
            .size_conditions = net.time_.add_1.has_value(),
            .skips = {{.channels = net.conv_in_.out_channels()}}};
  const int levels = scope.count("down_blocks");
  for (int i = 0; i < levels; ++i) {
    net.down_.push_back(load_down_stage(scope / fmt::format("down_blocks.{}", i), config.unet,
                                        heads_at(config.unet, i), walk));
  }
  net.middle_ = load_middle_stage(scope / "mid_block", config.unet, heads_at(config.unet, levels - 1), walk);
  const int outputs = scope.count("controlnet_down_blocks");
  if (static_cast<size_t>(outputs) != walk.skips.size()) {
    throw Error(ErrorCode::weights, "cannot load the ControlNet")
        .with("tensor", scope.full_name("controlnet_down_blocks"))
        .with("found", fmt::format("{} outputs", outputs))
        .with("expected", fmt::format("{}, one for each skip connection", walk.skips.size()));
  }
  for (int i = 0; i < outputs; ++i) {
    const int64_t channels = walk.skips[static_cast<size_t>(i)].channels;
    net.skip_out_.push_back(nn::load_conv2d(scope / fmt::format("controlnet_down_blocks.{}", i), 1,
                                            {.in = channels, .out = channels}));
  }
  net.middle_out_ =
      nn::load_conv2d(scope / "controlnet_mid_block", 1, {.in = walk.channels, .out = walk.channels});
  net.context_width_ = walk.context_width;
  return net;
}

// --- the hint ---

Tensor HintNetwork::operator()(nn::Exec& ex, const Tensor& picture) const {
  Tensor h = in(ex, picture, {.activation = nn::Activation::silu});
  for (const nn::Conv2d& block : blocks) h = block(ex, h, {.activation = nn::Activation::silu});
  return out(ex, h);
}

int ControlNet::hint_factor() const {
  int factor = 1;
  for (const nn::Conv2d& block : hint_.blocks) factor *= block.geometry.stride;
  return factor;
}

namespace {

// [N, 3, H, W]: planes in the order B, G, R.
Tensor reversed_channels(const Tensor& picture) {
  Tensor out = Tensor::empty(picture.shape());
  const int64_t channels = picture.size(1);
  for (int64_t i = 0; i < picture.size(0); ++i) {
    const Tensor from = picture.rows(i, i + 1).reshape({channels, picture.size(2), picture.size(3)});
    Tensor to = out.rows(i, i + 1).reshape({channels, picture.size(2), picture.size(3)});
    for (int64_t c = 0; c < channels; ++c) {
      const Tensor source = from.rows(channels - 1 - c, channels - c);
      Tensor target = to.rows(c, c + 1);
      std::ranges::copy(source.data(), target.data().begin());
    }
  }
  return out;
}

}  // namespace

Tensor ControlNet::hint(nn::Exec& ex, const Tensor& picture) const {
  if (picture.rank() != 4 || picture.size(1) != hint_channels()) {
    throw Error(ErrorCode::usage, "cannot use the control picture")
        .with("found", picture.shape().text())
        .with("expected", fmt::format("[N, {}, H, W]", hint_channels()));
  }
  const Tensor ordered = config_.blue_first ? reversed_channels(picture) : picture;
  const Tensor hint = hint_(ex, kernels::to_channels_last(ex, ordered));
  ex.trace("controlnet_cond_embedding", hint);
  return hint;
}

// --- the network ---

std::vector<double> fade_factors(ControlFade fade, size_t residuals) {
  std::vector<double> factors(residuals, 1.0);
  for (size_t i = 0; i < residuals; ++i) {
    const auto place = static_cast<double>(i);
    if (fade == ControlFade::guess && residuals > 1) {
      factors[i] = std::pow(10.0, place / static_cast<double>(residuals - 1) - 1);
    } else if (fade == ControlFade::soft) {
      // The exponents are those of SD1's 13 residuals in every family: SDXL's middle has 0.825^3.
      factors[i] = std::pow(0.825, std::max(12.0, static_cast<double>(residuals) - 1) - place);
    }
  }
  return factors;
}

Tensor ControlNet::weighed(nn::Exec& ex, Tensor residual, double factor,
                           const ControlStrength& strength) const {
  if (config_.global_pool) residual = spread_means(ex, residual);
  const auto total = static_cast<float>(factor * strength.scale);
  if (strength.pictures.empty()) return total == 1 ? residual : kernels::scale(ex, residual, total);
  std::vector<float> factors = strength.pictures;
  for (float& value : factors) value *= total;
  return scale_pictures(ex, residual, factors);
}

Residuals ControlNet::operator()(nn::Exec& ex, const UNetInput& in, const Tensor& hint,
                                 const ControlStrength& strength) const {
  const int64_t n = in.latent.size(0);
  if (!strength.pictures.empty() && static_cast<int64_t>(strength.pictures.size()) != n) {
    throw Error(ErrorCode::failed, "cannot weigh {} pictures with {} factors", n, strength.pictures.size());
  }
  const Tensor t = time_(ex, in);
  const Tensor latent = kernels::to_channels_last(ex, in.latent);
  if (hint.size(1) != latent.size(1) || hint.size(2) != latent.size(2)) {
    throw Error(ErrorCode::usage, "cannot use the control picture")
        .with("found",
              fmt::format("{} x {} pixels", hint.size(2) * hint_factor(), hint.size(1) * hint_factor()))
        .with("expected",
              fmt::format("{} x {}", latent.size(2) * hint_factor(), latent.size(1) * hint_factor()));
  }

  // The way down, as in the UNet, with the hint joined to its first activation; no further than the UNet
  // asks.
  const size_t wanted = in.skips_wanted();
  const Tensor seen = repeat_pictures(ex, hint, n);
  Tensor h = conv_in_(ex, latent, {.residual = &seen});
  std::vector<Tensor> skips{h};
  for (size_t i = 0; i < down_.size() && skips.size() < wanted; ++i) {
    const DownStage& stage = down_[i];
    for (const UNetLayer& layer : stage.layers) {
      if (skips.size() == wanted) break;
      h = layer(ex, h, t, *in.text);
      skips.push_back(h);
    }
    if (stage.downsample && skips.size() < wanted) {
      h = (*stage.downsample)(ex, h);
      skips.push_back(h);
    }
    ex.trace(fmt::format("controlnet.down_blocks.{}", i), h);
  }

  // Every activation that the UNet would take back on its way up goes out through a convolution of its own.
  const ControlFade fade =
      config_.global_pool && strength.fade == ControlFade::guess ? ControlFade::none : strength.fade;
  const std::vector<double> factors = fade_factors(fade, skip_out_.size() + 1);
  Residuals residuals;
  for (size_t i = 0; i < skips.size(); ++i) {
    residuals.skips.push_back(weighed(ex, skip_out_[i](ex, skips[i]), factors[i], strength));
  }
  if (skips.size() == wanted) return residuals;
  h = middle_(ex, h, t, *in.text);
  ex.trace("controlnet.mid_block", h);
  residuals.middle = weighed(ex, middle_out_(ex, h), factors.back(), strength);
  return residuals;
}

void add_residuals(nn::Exec& ex, Residuals& sum, const Residuals& more) {
  if (sum.skips.empty() && !sum.middle.defined()) {
    sum = more;
    return;
  }
  const auto add = [&ex](Tensor& a, const Tensor& b) {
    if (!b.defined()) return;
    if (a.defined() && !(a.shape() == b.shape())) {
      throw Error(ErrorCode::usage, "cannot use these ControlNets together")
          .with("found", fmt::format("residuals of {} and {}", a.shape().text(), b.shape().text()))
          .hint("they were made for different model families");
    }
    a = a.defined() ? kernels::add(ex, a, b) : b;
  };
  if (sum.skips.size() != more.skips.size()) {
    throw Error(ErrorCode::usage, "cannot use these ControlNets together")
        .with("found", fmt::format("{} and {} residuals", sum.skips.size(), more.skips.size()))
        .hint("they were made for different model families");
  }
  for (size_t i = 0; i < sum.skips.size(); ++i) add(sum.skips[i], more.skips[i]);
  add(sum.middle, more.middle);
}

}  // namespace maquette::models
