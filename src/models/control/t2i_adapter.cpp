#include "models/control/t2i_adapter.h"

#include <algorithm>

#include "models/control/pictures.h"

namespace maquette::models {

T2iAdapterConfig T2iAdapterConfig::from_json(const Json& config) {
  T2iAdapterConfig result;
  if (config.contains("adapter_type")) {
    const Json& type = config["adapter_type"];
    if (type == "full_adapter") {
      result.kind = T2iAdapterKind::full;
    } else if (type == "full_adapter_xl") {
      result.kind = T2iAdapterKind::full_xl;
    } else if (type == "light_adapter") {
      result.kind = T2iAdapterKind::light;
    } else {
      throw Error(ErrorCode::weights, "cannot use the T2I-Adapter's configuration")
          .with("field", "adapter_type")
          .with("found", type.dump())
          .with("expected", "full_adapter, full_adapter_xl or light_adapter");
    }
  }
  if (config.contains("downscale_factor") && config["downscale_factor"].is_number_integer()) {
    result.unfold = std::clamp(config["downscale_factor"].get<int>(), 1, 64);
  }
  return result;
}

Tensor T2iResBlock::operator()(nn::Exec& ex, const Tensor& x) const {
  return block2(ex, block1(ex, x, {.activation = nn::Activation::relu}), {.residual = &x});
}

Tensor T2iStage::operator()(nn::Exec& ex, Tensor h) const {
  if (halve) h = halve_rounding_up(ex, h);
  if (in) h = (*in)(ex, h);
  for (const T2iResBlock& block : res) h = block(ex, h);
  return out ? (*out)(ex, h) : h;
}

namespace {

constexpr int kMostStages = 16;

// `channels`: what the next layer gets; 0: what the first one takes.
T2iStage load_stage(const nn::Scope& scope, bool halve, int64_t& channels) {
  T2iStage stage{.halve = halve, .in = std::nullopt, .res = {}, .out = std::nullopt};
  if (scope.has("in_conv.weight")) {
    stage.in = nn::load_conv2d(scope / "in_conv", 1, {.in = channels});
    channels = stage.in->out_channels();
  }
  const int count = scope.count("resnets");
  for (int i = 0; i < count; ++i) {
    const nn::Scope res = scope / fmt::format("resnets.{}", i);
    const nn::Conv2d first = nn::load_conv2d(res / "block1", 1, {.in = channels});
    stage.res.push_back({.block1 = first,
                         .block2 = nn::load_conv2d(
                             res / "block2", 1, {.in = first.out_channels(), .out = first.in_channels()})});
  }
  if (scope.has("out_conv.weight")) {
    stage.out = nn::load_conv2d(scope / "out_conv", 1, {.in = channels});
    channels = stage.out->out_channels();
  }
  return stage;
}

// Without a configuration: light adapters have out_conv; those of SDXL fold 16 x 16 pixels of 1 or 3 channels
// into one, those of SD1 8 x 8.
T2iAdapterKind kind_of(const nn::Scope& body) {
  if (body.has("body.0.out_conv.weight")) return T2iAdapterKind::light;
  const Shape first = body.shape("conv_in.weight");
  if (first.rank() != 4) body.refuse("conv_in.weight", first, "[out, in, height, width]");
  const int64_t in = first[1];
  return in % (3 * 16 * 16) == 0 || in == 16 * 16 ? T2iAdapterKind::full_xl : T2iAdapterKind::full;
}

bool halves_before(T2iAdapterKind kind, int stage) {
  return kind == T2iAdapterKind::full_xl ? stage == 2 : stage > 0;
}

}  // namespace

T2iAdapter T2iAdapter::load(const nn::Scope& scope, const T2iAdapterConfig& config) {
  const nn::Scope network = scope.count("adapter.body") > 0 ? scope / "adapter" : scope;
  if (network.count("body") == 0) {
    throw Error(ErrorCode::weights, "cannot load the T2I-Adapter")
        .with("tensor", scope.full_name("adapter.body.0"))
        .with("found", "no stages");
  }
  T2iAdapter adapter;
  adapter.kind_ = config.kind == T2iAdapterKind::unknown ? kind_of(network) : config.kind;
  adapter.unfold_ = config.unfold > 0 ? config.unfold : adapter.kind_ == T2iAdapterKind::full_xl ? 16 : 8;
  int64_t channels = 0;
  if (network.has("conv_in.weight")) {
    adapter.conv_in_ = nn::load_conv2d(network / "conv_in");
    channels = adapter.conv_in_->out_channels();
  }
  const int count = network.count("body");
  if (count > kMostStages) {
    throw Error(ErrorCode::weights, "cannot load the T2I-Adapter")
        .with("tensor", network.full_name("body"))
        .with("found", fmt::format("{} stages", count))
        .with("expected", fmt::format("at most {}", kMostStages));
  }
  for (int i = 0; i < count; ++i) {
    adapter.stages_.push_back(
        load_stage(network / fmt::format("body.{}", i), halves_before(adapter.kind_, i), channels));
  }
  if (!adapter.conv_in_ && !adapter.stages_.front().in) {
    throw Error(ErrorCode::weights, "cannot load the T2I-Adapter")
        .with("tensor", network.full_name("conv_in.weight"))
        .with("found", "nothing that reads the picture");
  }
  const nn::Conv2d& first = adapter.conv_in_ ? *adapter.conv_in_ : *adapter.stages_.front().in;
  const int64_t folded = int64_t{adapter.unfold_} * adapter.unfold_;
  if (first.in_channels() != folded && first.in_channels() != 3 * folded) {
    throw Error(ErrorCode::weights, "cannot load the T2I-Adapter")
        .with("tensor", first.name)
        .with("found", first.weights->source().shape().text())
        .with("expected", fmt::format("inputs for {0} x {0} pixels of 1 or 3 channels", adapter.unfold_));
  }
  return adapter;
}

int64_t T2iAdapter::picture_channels() const {
  const nn::Conv2d& first = conv_in_ ? *conv_in_ : *stages_.front().in;
  return first.in_channels() / (int64_t{unfold_} * unfold_);
}

int T2iAdapter::size_multiple() const {
  int factor = unfold_;
  for (const T2iStage& stage : stages_) factor *= stage.halve ? 2 : 1;
  return factor;
}

std::vector<Tensor> T2iAdapter::operator()(nn::Exec& ex, const Tensor& picture) const {
  if (picture.rank() != 4 || picture.size(1) != picture_channels()) {
    throw Error(ErrorCode::usage, "cannot use the control picture")
        .with("found", picture.shape().text())
        .with("expected", fmt::format("[N, {}, H, W]", picture_channels()));
  }
  Tensor h = kernels::pixel_unshuffle(ex, kernels::to_channels_last(ex, picture), unfold_);
  if (conv_in_) h = (*conv_in_)(ex, h);
  std::vector<Tensor> features;
  for (size_t i = 0; i < stages_.size(); ++i) {
    h = stages_[i](ex, h);
    ex.trace(fmt::format("adapter.body.{}", i), h);
    features.push_back(h);
  }
  return features;
}

void add_features(nn::Exec& ex, std::vector<Tensor>& sum, const std::vector<Tensor>& features, float weight,
                  int64_t n) {
  const bool fits = sum.empty() || (sum.size() == features.size() && sum[0].size(-1) == features[0].size(-1));
  if (!fits) {
    throw Error(ErrorCode::usage, "cannot use these T2I-Adapters together")
        .with("found", fmt::format("{} and {} features", sum.size(), features.size()))
        .hint("they were made for different model families");
  }
  const bool first = sum.empty();
  for (size_t i = 0; i < features.size(); ++i) {
    const Tensor feature = repeat_pictures(ex, features[i], n);
    if (first) {
      sum.push_back(kernels::scale(ex, feature, weight));
    } else {
      sum[i] = kernels::add_scaled(ex, sum[i], feature, weight);
    }
  }
}

}  // namespace maquette::models
