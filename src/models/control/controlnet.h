// ControlNet (Zhang et al. 2023): a copy of the UNet's way down that also sees a control picture, and says
// what to add to each skip connection and to the middle.
//
//   control picture -- hint network --+
//   latent -- conv_in ---------------(+)-- down stages -- middle
//                                      \ zero conv per skip      \ zero conv
//                                       residuals.skips[i]        residuals.middle
//
// One code for SD1, SD2 and SDXL, which walks what was loaded, like the UNet.
#pragma once

#include <vector>

#include "models/unet/unet.h"

namespace maquette::models {

struct ControlNetConfig {
  UNetConfig unet;
  bool blue_first = false;   // the control picture's channels are wanted as BGR
  bool global_pool = false;  // residuals are averaged over the picture ("shuffle" models)

  // From the config.json of a diffusers folder; an empty object gives the defaults above.
  static ControlNetConfig from_json(const Json& config);
};

// How the residuals fade from the middle (full) to the first skip.
enum class ControlFade {
  none,
  guess,  // diffusers' guess mode: a tenth at the first skip, rising in equal ratios to 1 at the middle
  soft    // A1111's "my prompt" / "ControlNet is more important": 0.825^(12 - i) for residual i
};

struct ControlStrength {
  double scale = 1;
  ControlFade fade = ControlFade::none;
  // One factor per picture of the batch; empty: 1 for all. 0 leaves a picture alone: guess mode and
  // "ControlNet is more important" do so with the pictures of the negative prompt.
  std::vector<float> pictures;
};

// Factor of each residual, skips first, the middle last. A network that averages its residuals ignores
// `guess`.
std::vector<double> fade_factors(ControlFade fade, size_t residuals);

struct HintNetwork {
  nn::Conv2d in;
  std::vector<nn::Conv2d> blocks;  // with stride 2 at every second place
  nn::Conv2d out;

  Tensor operator()(nn::Exec& ex, const Tensor& picture) const;
};

class ControlNet {
 public:
  // Names as diffusers has them. Throws Error(weights), also for Control-LoRA and for the many-in-one "union"
  // models, which need another code.
  static ControlNet load(const nn::Scope& scope, const ControlNetConfig& config);

  // What the control picture [1 or N, 3, H, W] f32 in 0..1, as large as the picture to be made, says to the
  // latent:
  // [.., h, w, c] activations. The same for all steps: compute it once.
  Tensor hint(nn::Exec& ex, const Tensor& picture) const;

  // in.control and in.adapter_states are not read. Under feature caching (in.deep) only the residuals that
  // the UNet wants are computed, the outermost ones, without the middle.
  Residuals operator()(nn::Exec& ex, const UNetInput& in, const Tensor& hint,
                       const ControlStrength& strength = {}) const;

  int64_t in_channels() const { return conv_in_.in_channels(); }
  int64_t hint_channels() const { return hint_.in.in_channels(); }
  int64_t context_width() const { return context_width_; }
  int64_t added_width() const { return time_.add_1 ? time_.add_1->in_features() : 0; }
  SizeWaves size_waves() const { return config_.unet.size_waves(); }
  int hint_factor() const;  // control pixels per latent pixel: 8
  const ControlNetConfig& config() const { return config_; }

 private:
  Tensor weighed(nn::Exec& ex, Tensor residual, double factor, const ControlStrength& strength) const;

  ControlNetConfig config_;
  TimeEmbedding time_;
  nn::Conv2d conv_in_;
  HintNetwork hint_;
  std::vector<DownStage> down_;
  MiddleStage middle_;
  std::vector<nn::Conv2d> skip_out_;
  nn::Conv2d middle_out_;
  int64_t context_width_ = 0;
};

// Several ControlNets at once: their residuals add up. Throws Error(usage) where the networks do not match.
void add_residuals(nn::Exec& ex, Residuals& sum, const Residuals& more);

}  // namespace maquette::models
