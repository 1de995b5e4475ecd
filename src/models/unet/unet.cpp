#include "models/unet/unet.h"

#include <algorithm>

namespace maquette::models {

Tensor TimeEmbedding::operator()(nn::Exec& ex, const UNetInput& in) const {
  const int64_t n = in.latent.size(0);
  std::vector<double> timesteps = in.timesteps;
  if (timesteps.size() == 1) timesteps.assign(static_cast<size_t>(n), timesteps[0]);

  const int64_t width = linear_1.in_features();
  if (timesteps.size() != static_cast<size_t>(n)) {
    throw Error(ErrorCode::failed, "cannot use {} timesteps for {} pictures", timesteps.size(), n);
  }
  Tensor e = kernels::convert(
      ex, nn::sinusoidal_embedding(timesteps, width, waves.cosines_first, waves.frequency_shift),
      ex.activations);
  if (guidance && in.guidance_embedding.defined()) {
    e = kernels::add(ex, e, (*guidance)(ex, kernels::convert(ex, in.guidance_embedding, ex.activations)));
  }
  e = linear_2(ex, linear_1(ex, e, {.activation = nn::Activation::silu}));
  if (add_1 && in.added.defined()) {
    const Tensor added = kernels::convert(ex, in.added, ex.activations);
    e = kernels::add(ex, e, (*add_2)(ex, (*add_1)(ex, added, {.activation = nn::Activation::silu})));
  }
  return kernels::activation(ex, e, nn::Activation::silu);
}

TimeEmbedding load_time_embedding(const nn::Scope& scope, const UNetConfig& config) {
  const nn::Linear first = nn::load_linear(scope / "time_embedding.linear_1");
  TimeEmbedding time{
      .linear_1 = first,
      .linear_2 = nn::load_linear(scope / "time_embedding.linear_2", {.in = first.out_features()}),
      .guidance = std::nullopt,
      .add_1 = std::nullopt,
      .add_2 = std::nullopt,
      .waves = config.waves};
  if (scope.has("time_embedding.cond_proj.weight")) {
    time.guidance = nn::load_linear(scope / "time_embedding.cond_proj", {.out = first.in_features()});
  }
  if (scope.has("add_embedding.linear_1.weight")) {
    time.add_1 = nn::load_linear(scope / "add_embedding.linear_1");
    time.add_2 = nn::load_linear(scope / "add_embedding.linear_2",
                                 {.in = time.add_1->out_features(), .out = time.linear_2.out_features()});
  }
  return time;
}

Tensor UNetLayer::operator()(nn::Exec& ex, const Tensor& x, const Tensor& t,
                             const nn::CrossContext& text) const {
  Tensor h = res(ex, x, t);
  return attention ? (*attention)(ex, h, text) : h;
}

Tensor MiddleStage::operator()(nn::Exec& ex, Tensor h, const Tensor& t, const nn::CrossContext& text) const {
  h = res[0](ex, h, t);
  for (size_t i = 1; i < res.size(); ++i) {
    if (attention[i - 1]) h = (*attention[i - 1])(ex, h, text);
    h = res[i](ex, h, t);
  }
  return h;
}

namespace {

nn::GroupNormOptions norm_of(const UNetConfig& config) {
  return {.groups = config.norm_groups, .epsilon = config.norm_epsilon};
}

std::optional<SpatialTransformer> load_attention_if_present(const nn::Scope& scope, int64_t heads,
                                                            const UNetConfig& config, Walk& walk) {
  if (!scope.has("proj_in.weight")) return std::nullopt;
  if (heads == 0 && walk.size_conditions)
    heads = std::max<int64_t>(walk.channels / 64, 1);  // SDXL's convention
  SpatialTransformer transformer = load_spatial_transformer(scope, heads, config.norm_groups, walk.channels);
  for (size_t i = 0; i < transformer.blocks.size(); ++i) {
    const nn::Linear& keys_values = *transformer.blocks[i].cross.kv;
    if (walk.context_width == 0) walk.context_width = keys_values.in_features();
    if (keys_values.in_features() == walk.context_width) continue;
    (scope / fmt::format("transformer_blocks.{}.attn2.to_k", i))
        .refuse("weight", keys_values.weights->source(0).shape(),
                fmt::format("[out, {}], the text width of the other attentions", walk.context_width));
  }
  return transformer;
}

ResBlock load_next_res_block(const nn::Scope& scope, const UNetConfig& config, Walk& walk) {
  ResBlock block = load_res_block(scope, norm_of(config), {.in = walk.channels});
  if (block.time && block.time->in_features() != walk.time_width) {
    (scope / "time_emb_proj")
        .refuse("weight", block.time->weights->source(0).shape(),
                fmt::format("[out, {}], the width of the time embedding", walk.time_width));
  }
  walk.channels = block.conv2.out_channels();
  return block;
}

[[noreturn]] void refuse_stage(const nn::Scope& scope, std::string_view found, std::string_view expected) {
  throw Error(ErrorCode::weights, "cannot load a stage of the network")
      .with("tensor", scope.full_name("resnets"))
      .with("found", found)
      .with("expected", expected);
}

// Layers going down leave a skip connection each, layers going up take one back.
enum class Way { down, up };

std::vector<UNetLayer> load_layers(const nn::Scope& scope, const UNetConfig& config, int64_t heads, Way way,
                                   Walk& walk) {
  std::vector<UNetLayer> layers;
  const int count = scope.count("resnets");
  for (int i = 0; i < count; ++i) {
    if (way == Way::up) {
      if (walk.skips.empty()) refuse_stage(scope, "more layers", "one for each skip connection");
      if (walk.skips.back().level != walk.level) {
        refuse_stage(scope, "layers at another size than their skip connections", "an upsampler before them");
      }
      walk.channels += walk.skips.back().channels;
      walk.skips.pop_back();
    }
    ResBlock res = load_next_res_block(scope / fmt::format("resnets.{}", i), config, walk);
    layers.push_back({.res = std::move(res),
                      .attention = load_attention_if_present(scope / fmt::format("attentions.{}", i), heads,
                                                             config, walk)});
    if (way == Way::down) walk.skips.push_back({walk.channels, walk.level});
  }
  return layers;
}

// Heads of level i of the encoder side; the decoder has the same in reverse.
int64_t heads_at(const UNetConfig& config, int level) {
  if (config.heads.empty()) return 0;
  return config.heads[std::min(static_cast<size_t>(std::max(level, 0)), config.heads.size() - 1)];
}

}  // namespace

DownStage load_down_stage(const nn::Scope& scope, const UNetConfig& config, int64_t heads, Walk& walk) {
  DownStage stage{.layers = load_layers(scope, config, heads, Way::down, walk), .downsample = std::nullopt};
  if (stage.layers.empty()) refuse_stage(scope, "none", "residual blocks");
  if (scope.has("downsamplers.0.conv.weight")) {
    stage.downsample = nn::load_conv2d(scope / "downsamplers.0.conv", 2, {.in = walk.channels});
    walk.channels = stage.downsample->out_channels();
    ++walk.level;
    walk.skips.push_back({walk.channels, walk.level});
  }
  return stage;
}

MiddleStage load_middle_stage(const nn::Scope& scope, const UNetConfig& config, int64_t heads, Walk& walk) {
  MiddleStage middle;
  const int count = scope.count("resnets");
  if (count == 0) refuse_stage(scope, "none", "residual blocks");
  for (int i = 0; i < count; ++i) {
    if (i > 0) {
      middle.attention.push_back(
          load_attention_if_present(scope / fmt::format("attentions.{}", i - 1), heads, config, walk));
    }
    middle.res.push_back(load_next_res_block(scope / fmt::format("resnets.{}", i), config, walk));
  }
  return middle;
}

namespace {

UpStage load_up_stage(const nn::Scope& scope, const UNetConfig& config, int64_t heads, Walk& walk) {
  UpStage stage{.layers = load_layers(scope, config, heads, Way::up, walk), .upsample = std::nullopt};
  if (stage.layers.empty()) refuse_stage(scope, "none", "residual blocks");
  if (!scope.has("upsamplers.0.conv.weight")) return stage;
  // It grows to the size of the next skip connection.
  if (walk.skips.empty()) refuse_stage(scope, "an upsampler", "nothing after the last skip connection");
  stage.upsample = nn::load_conv2d(scope / "upsamplers.0.conv", 1, {.in = walk.channels});
  walk.channels = stage.upsample->out_channels();
  walk.level = walk.skips.back().level;
  return stage;
}

}  // namespace

UNet UNet::load(const nn::Scope& scope, const UNetConfig& config) {
  UNet unet;
  unet.time_ = load_time_embedding(scope, config);
  unet.conv_in_ = nn::load_conv2d(scope / "conv_in");
  Walk walk{.channels = unet.conv_in_.out_channels(),
            .time_width = unet.time_.linear_2.out_features(),
            .size_conditions = unet.time_.add_1.has_value(),
            .skips = {{.channels = unet.conv_in_.out_channels()}}};
  const int levels = scope.count("down_blocks");
  for (int i = 0; i < levels; ++i) {
    unet.down_.push_back(
        load_down_stage(scope / fmt::format("down_blocks.{}", i), config, heads_at(config, i), walk));
  }
  if (scope.has("mid_block.resnets.0.conv1.weight")) {
    unet.middle_ = load_middle_stage(scope / "mid_block", config, heads_at(config, levels - 1), walk);
  }
  unet.skip_count_ = walk.skips.size();
  const int stages_up = scope.count("up_blocks");
  for (int i = 0; i < stages_up; ++i) {
    unet.up_.push_back(load_up_stage(scope / fmt::format("up_blocks.{}", i), config,
                                     heads_at(config, levels - 1 - i), walk));
  }
  if (!walk.skips.empty()) {
    refuse_stage(scope / "up_blocks", fmt::format("{} layers too few", walk.skips.size()),
                 "one for each skip connection");
  }
  unet.norm_out_ = nn::load_group_norm(scope / "conv_norm_out", norm_of(config), walk.channels);
  unet.conv_out_ = nn::load_conv2d(scope / "conv_out", 1, {.in = walk.channels});
  unet.size_waves_ = config.size_waves();
  unet.context_width_ = walk.context_width;
  return unet;
}

namespace {

// What a ControlNet or T2I-Adapter says here.
void add_if_defined(nn::Exec& ex, Tensor& h, const Tensor& extra) {
  if (!extra.defined()) return;
  if (!(extra.shape() == h.shape())) {
    throw Error(ErrorCode::weights, "cannot use the control with this model")
        .with("found", extra.shape().text())
        .with("expected", h.shape().text())
        .hint("it was made for another model family");
  }
  h = kernels::add(ex, h, extra);
}

// What a T2I-Adapter says at the end of stage i. It joins before the skip is taken: after the last attention,
// or, in stages without attention, after the downsampling (where diffusers adds it in place).
Tensor adapter_state(const UNetInput& in, size_t i) {
  return in.adapter_states && i < in.adapter_states->size() ? (*in.adapter_states)[i] : Tensor();
}

}  // namespace

// Going down, every layer leaves a skip connection behind; with cached features only the wanted ones.
std::vector<Tensor> UNet::way_down(nn::Exec& ex, const UNetInput& in, const Tensor& t) const {
  const size_t wanted = in.skips_wanted();
  std::vector<Tensor> skips;
  Tensor h = conv_in_(ex, kernels::to_channels_last(ex, in.latent));
  ex.trace("conv_in", h);
  skips.push_back(h);
  for (size_t i = 0; i < down_.size(); ++i) {
    const DownStage& stage = down_[i];
    for (size_t j = 0; j < stage.layers.size(); ++j) {
      if (skips.size() == wanted) return skips;
      h = stage.layers[j](ex, h, t, *in.text);
      const bool last = j + 1 == stage.layers.size();
      if (last && (stage.layers[j].attention || !stage.downsample))
        add_if_defined(ex, h, adapter_state(in, i));
      skips.push_back(h);
      ex.trace(fmt::format("down_blocks.{}.{}", i, j), h);
    }
    if (skips.size() == wanted) return skips;
    if (stage.downsample) {
      h = (*stage.downsample)(ex, h);
      if (!stage.layers.back().attention) add_if_defined(ex, h, adapter_state(in, i));
      skips.push_back(h);
      ex.trace(fmt::format("down_blocks.{}.downsample", i), h);
    }
  }
  return skips;
}

Tensor UNet::through_middle(nn::Exec& ex, const UNetInput& in, const Tensor& t, Tensor h) const {
  if (middle_) h = (*middle_)(ex, h, t, *in.text);
  // T2I-Adapters for SDXL have one state more than there are stages, for the middle.
  const Tensor beyond = adapter_state(in, down_.size());
  if (beyond.defined() && beyond.shape() == h.shape()) h = kernels::add(ex, h, beyond);
  ex.trace("mid_block", h);
  if (in.control) add_if_defined(ex, h, in.control->middle);
  return h;
}

// Going up, every layer takes a skip back, the latest first; resampling meets the size of the next one, so
// that odd sizes come back as they went. With cached features the way begins at the layer that they enter.
Tensor UNet::way_up(nn::Exec& ex, const UNetInput& in, const Tensor& t, Tensor h,
                    std::vector<Tensor> skips) const {
  size_t left = skip_count_;  // layers that have not had their turn
  for (size_t i = 0; i < up_.size(); ++i) {
    const UpStage& stage = up_[i];
    bool ran = false;
    for (size_t j = 0; j < stage.layers.size(); ++j, --left) {
      if (left > skips.size()) continue;
      ran = true;
      if (in.deep && left == in.deep->depth) in.deep->activation = h;
      h = stage.layers[j](ex, kernels::concat_channels(ex, h, skips.back()), t, *in.text);
      skips.pop_back();
      ex.trace(fmt::format("up_blocks.{}.{}", i, j), h);
    }
    if (stage.upsample && ran) {
      const Tensor& next = skips.back();
      const bool twofold = next.size(1) == 2 * h.size(1) && next.size(2) == 2 * h.size(2);
      h = twofold ? stage.upsample->enlarged(ex, h)
                  : (*stage.upsample)(ex, kernels::resize_nearest(ex, h, next.size(1), next.size(2)));
    }
  }
  return h;
}

Tensor UNet::operator()(nn::Exec& ex, const UNetInput& in) const {
  if (context_width_ > 0 && !in.text) throw Error(ErrorCode::failed, "the network needs a text");
  if (in.deep && (in.deep->depth < 1 || in.deep->depth >= skip_count_)) {
    throw Error(ErrorCode::usage, "cannot cache features at depth {}", in.deep->depth)
        .with("expected", fmt::format("1 to {}", skip_count_ - 1));
  }
  const Tensor t = time_(ex, in);
  std::vector<Tensor> skips = way_down(ex, in, t);
  const bool cached = in.deep && in.deep->activation.defined();
  Tensor h = cached ? in.deep->activation : through_middle(ex, in, t, skips.back());

  // From here on a ControlNet's corrections apply to every skip as it is used.
  if (in.control) {
    for (size_t i = 0; i < skips.size() && i < in.control->skips.size(); ++i) {
      add_if_defined(ex, skips[i], in.control->skips[i]);
    }
  }
  h = way_up(ex, in, t, std::move(h), std::move(skips));
  return kernels::to_channels_first(conv_out_(ex, norm_out_.with_silu(ex, h)));
}

std::vector<const nn::Attention*> UNet::cross_attentions() const {
  std::vector<const nn::Attention*> found;
  const auto collect = [&found](const std::optional<SpatialTransformer>& transformer) {
    if (!transformer) return;
    for (const TransformerBlock& block : transformer->blocks) found.push_back(&block.cross);
  };
  for (const DownStage& stage : down_) {
    for (const UNetLayer& layer : stage.layers) collect(layer.attention);
  }
  for (const UpStage& stage : up_) {
    for (const UNetLayer& layer : stage.layers) collect(layer.attention);
  }
  if (middle_) {
    for (const auto& transformer : middle_->attention) collect(transformer);
  }
  return found;
}

Tensor size_embedding(const Tensor& pooled, std::span<const std::vector<double>> sizes,
                      const SizeWaves& size) {
  const int64_t n = pooled.size(0);
  const int64_t count = sizes.empty() ? 0 : static_cast<int64_t>(sizes[0].size());
  Tensor out = Tensor::empty({n, pooled.size(1) + count * size.width});
  for (int64_t i = 0; i < n; ++i) {
    const std::vector<double>& numbers = sizes[sizes.size() == 1 ? 0 : static_cast<size_t>(i)];
    const Tensor embedded =
        nn::sinusoidal_embedding(numbers, size.width, size.waves.cosines_first, size.waves.frequency_shift);
    auto row = out.rows(i, i + 1).data();
    const auto text = pooled.rows(i, i + 1);
    std::ranges::copy(text.data(), row.begin());
    std::ranges::copy(embedded.data(), row.begin() + pooled.size(1));
  }
  return out;
}

}  // namespace maquette::models
