// T2I-Adapter (Mou et al. 2023): a small network that turns a control picture once into features, which the
// UNet adds at the end of each stage on its way down, the same at every step.
//
//   picture -- pixel unshuffle -- conv_in -- stage 0 -- stage 1 -- ...
//                                               \ feature 0  \ feature 1
//   stage: (halve) -- (in) -- residual blocks x + block2(relu(block1(x))) -- (out)
//
// full_adapter (SD1) halves before every stage but the first; full_adapter_xl (SDXL) unfolds by 16 and halves
// before stage 2 only; light_adapter has narrow stages between 1x1 convolutions and no conv_in.
#pragma once

#include <optional>
#include <vector>

#include "base/json.h"
#include "nn/layers.h"

namespace maquette::models {

enum class T2iAdapterKind { unknown, full, full_xl, light };

struct T2iAdapterConfig {
  T2iAdapterKind kind = T2iAdapterKind::unknown;  // unknown: told from the weights
  int unfold = 0;                                 // of the picture's pixels; 0: 16 for XL, else 8

  // From the config.json of a diffusers folder; an empty object gives the defaults above.
  static T2iAdapterConfig from_json(const Json& config);
};

struct T2iResBlock {
  nn::Conv2d block1, block2;

  Tensor operator()(nn::Exec& ex, const Tensor& x) const;
};

struct T2iStage {
  bool halve = false;
  std::optional<nn::Conv2d> in;
  std::vector<T2iResBlock> res;
  std::optional<nn::Conv2d> out;

  Tensor operator()(nn::Exec& ex, Tensor h) const;
};

class T2iAdapter {
 public:
  // Names as diffusers has them, with or without "adapter." (weights/ translates the first publication's).
  static T2iAdapter load(const nn::Scope& scope, const T2iAdapterConfig& config);

  T2iAdapterKind kind() const { return kind_; }
  int64_t picture_channels() const;  // 3, or 1 for line drawings
  int unfold() const { return unfold_; }
  int size_multiple() const;  // what the picture's sides should be multiples of

  // picture [N, C, H, W] f32 in 0..1, as large as the picture to be made and with sides that are multiples of
  // unfold() -> one feature map per stage [N, h, w, c] activations, for UNetInput::adapter_states.
  std::vector<Tensor> operator()(nn::Exec& ex, const Tensor& picture) const;

 private:
  T2iAdapterKind kind_ = T2iAdapterKind::full;
  int unfold_ = 8;
  std::optional<nn::Conv2d> conv_in_;
  std::vector<T2iStage> stages_;
};

// sum += weight features; an empty sum becomes the weighted features. Several adapters at once add up.
// Features of one picture are repeated for a batch of n.
void add_features(nn::Exec& ex, std::vector<Tensor>& sum, const std::vector<Tensor>& features, float weight,
                  int64_t n);

}  // namespace maquette::models
