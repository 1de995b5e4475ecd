// The denoising network of Stable Diffusion 1, 2 and XL: one code for all, which walks what was loaded.
//
//   latent -- conv_in -- down stages -- middle -- up stages -- norm, silu, conv_out -- prediction
//                            \______ skips ______/
//
// Channel counts, depths and context widths are those of the weights. Source: Rombach et al. 2022; Podell et
// al. 2023 for the size conditions.
#pragma once

#include <optional>
#include <vector>

#include "models/unet/res_block.h"
#include "models/unet/spatial_transformer.h"
#include "models/unet/unet_config.h"

namespace maquette::models {

// What a ControlNet or a T2I-Adapter adds: to each skip connection (as the network pushes them) and to the
// middle. Elements may be undefined.
struct Residuals {
  std::vector<Tensor> skips;  // [N, h, w, c] activations
  Tensor middle;
};

// Feature caching (DeepCache, Ma, Fang & Wang 2023): features deep in the network change slowly from one step
// to the next. What enters the `depth` outermost layers on the way up is kept from a full call; while it is
// there, a call runs these layers alone, and of the way down what leaves their skip connections.
struct DeepFeatures {
  size_t depth = 1;   // 1 to UNet::skip_count() - 1
  Tensor activation;  // [N, h, w, c]; undefined: the next call is a full one and fills it
};

struct UNetInput {
  Tensor latent;  // [N, C, h, w] f32, already scaled; C as conv_in has it (4, 9 inpainting, 8 edit...)
  std::vector<double> timesteps;           // one, or one per picture
  const nn::CrossContext* text = nullptr;  // tokens [N, T, context width]
  Tensor added;               // SDXL: [N, pooled + sizes] f32 (see size_embedding); undefined otherwise
  Tensor guidance_embedding;  // LCM: [N, w] f32; undefined otherwise
  const Residuals* control = nullptr;  // added to skips as they are used, and to the middle
  // T2I-Adapter: added to the activation at the end of each down stage, [N, h, w, c] activations.
  const std::vector<Tensor>* adapter_states = nullptr;
  // Feature caching. What controls say to the layers that do not run stays as it was at the last full call.
  DeepFeatures* deep = nullptr;

  // How many skip connections this call uses, outermost first; controls need not compute those beyond.
  size_t skips_wanted() const { return deep && deep->activation.defined() ? deep->depth : SIZE_MAX; }
};

// The embedding of timesteps, sizes and guidance that every residual block sees.
struct TimeEmbedding {
  nn::Linear linear_1, linear_2;
  std::optional<nn::Linear> guidance;      // LCM's cond_proj
  std::optional<nn::Linear> add_1, add_2;  // SDXL's add_embedding
  WaveConvention waves;

  // -> silu(embedding) [N, T], activations: only ever used through its SiLU.
  Tensor operator()(nn::Exec& ex, const UNetInput& in) const;
};
TimeEmbedding load_time_embedding(const nn::Scope& scope, const UNetConfig& config);

// One step of a stage: a residual block and, where loaded, an attention.
struct UNetLayer {
  ResBlock res;
  std::optional<SpatialTransformer> attention;

  Tensor operator()(nn::Exec& ex, const Tensor& x, const Tensor& t, const nn::CrossContext& text) const;
};

struct DownStage {
  std::vector<UNetLayer> layers;
  std::optional<nn::Conv2d> downsample;  // stride 2
};
struct MiddleStage {  // res, then (attention, res) pairs
  std::vector<ResBlock> res;
  std::vector<std::optional<SpatialTransformer>> attention;

  Tensor operator()(nn::Exec& ex, Tensor h, const Tensor& t, const nn::CrossContext& text) const;
};
struct UpStage {
  std::vector<UNetLayer> layers;
  std::optional<nn::Conv2d> upsample;  // after nearest-neighbour resampling
};

// What the next layer gets, while a network is loaded along its way: each layer must fit what is there.
struct Walk {
  struct Skip {
    int64_t channels = 0;
    int level = 0;  // how often its sides were halved
  };

  int64_t channels = 0;          // of the activation
  int level = 0;                 // how often its sides were halved
  int64_t time_width = 0;        // of the embedding that every residual block sees
  bool size_conditions = false;  // SDXL
  int64_t context_width = 0;     // of the text, as the first cross attention says; 0: none so far
  std::vector<Skip> skips;       // the connections that wait for the way up
};

// Loading of the parts that a ControlNet shares. Throw Error(weights) where a layer does not fit.
DownStage load_down_stage(const nn::Scope& scope, const UNetConfig& config, int64_t heads, Walk& walk);
MiddleStage load_middle_stage(const nn::Scope& scope, const UNetConfig& config, int64_t heads, Walk& walk);

class UNet {
 public:
  static UNet load(const nn::Scope& scope, const UNetConfig& config);

  // -> prediction [N, C_out, h, w] f32
  Tensor operator()(nn::Exec& ex, const UNetInput& in) const;

  int64_t in_channels() const { return conv_in_.in_channels(); }
  int64_t out_channels() const { return conv_out_.out_channels(); }
  int64_t base_channels() const { return conv_in_.out_channels(); }  // of the finest level
  int64_t context_width() const { return context_width_; }           // 0 without cross attention
  int64_t added_width() const { return time_.add_1 ? time_.add_1->in_features() : 0; }
  int64_t guidance_width() const { return time_.guidance ? time_.guidance->in_features() : 0; }
  const SizeWaves& size_waves() const { return size_waves_; }
  size_t skip_count() const { return skip_count_; }  // as many layers go up
  // Every cross attention in the order of the published IP-Adapter files: down, up, middle.
  std::vector<const nn::Attention*> cross_attentions() const;

 private:
  // The parts of a call. `t` as TimeEmbedding gives it.
  std::vector<Tensor> way_down(nn::Exec& ex, const UNetInput& in, const Tensor& t) const;
  Tensor through_middle(nn::Exec& ex, const UNetInput& in, const Tensor& t, Tensor h) const;
  Tensor way_up(nn::Exec& ex, const UNetInput& in, const Tensor& t, Tensor h,
                std::vector<Tensor> skips) const;

  TimeEmbedding time_;
  nn::Conv2d conv_in_;
  std::vector<DownStage> down_;
  std::optional<MiddleStage> middle_;
  std::vector<UpStage> up_;
  nn::GroupNorm norm_out_;
  nn::Conv2d conv_out_;
  int64_t context_width_ = 0;
  SizeWaves size_waves_;
  size_t skip_count_ = 0;
};

// SDXL's vector of size conditions: pooled text [N, P] and for each number (height before width) its
// sinusoidal embedding -> [N, P + count waves.width] f32.
Tensor size_embedding(const Tensor& pooled, std::span<const std::vector<double>> sizes,
                      const SizeWaves& waves);

}  // namespace maquette::models
