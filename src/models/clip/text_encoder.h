// CLIP text encoders (Radford et al. 2021): OpenAI's ViT-L of SD1 and SDXL, OpenCLIP's H and G, and small
// ones.
//
//   ids [77] -> token + position embedding -> causal transformer layers -> final layer norm
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/json.h"
#include "models/clip/clip_layer.h"

namespace maquette::models {

struct TextEncoderConfig {
  int64_t heads = 0;                                 // 0: heads of 64
  nn::Activation activation = nn::Activation::none;  // none: quick GELU for width 768 (OpenAI), else GELU
  float epsilon = 1e-5f;

  static TextEncoderConfig from_json(const Json& config);
};

// One position of a sequence: a token, or a vector of a textual inversion in its place.
struct TextInput {
  int64_t id = 0;
  const float* vector = nullptr;  // [width], instead of the token's embedding
};

struct TextOutput {
  std::vector<Tensor> hidden;  // [N, T, C] f32: after the embedding, then after each layer; no final norm
  Tensor last;                 // [N, T, C] f32: hidden.back() after the final layer norm
};

class TextEncoder {
 public:
  static TextEncoder load(const nn::Scope& scope, const TextEncoderConfig& config);

  int64_t width() const { return embedding_.width(); }
  int64_t vocabulary() const { return embedding_.count(); }
  int64_t positions() const { return position_.size(0); }  // the longest sequence, 77
  int64_t layers() const { return static_cast<int64_t>(layers_.size()); }
  bool has_projection() const { return projection_.has_value(); }
  int64_t pooled_width() const { return projection_ ? projection_->out_features() : width(); }

  // Sequences of one length, at most positions(). Always in f32, and nothing packed is kept: it runs once per
  // prompt.
  TextOutput operator()(nn::Exec& ex, std::span<const std::vector<TextInput>> sequences) const;
  // The final layer norm of any hidden state (A1111's CLIP skip on SD1).
  Tensor final_norm(nn::Exec& ex, const Tensor& hidden) const { return final_norm_(ex, hidden); }
  // last[position] x projection -> [N, P] f32; without a projection, last[position] itself.
  Tensor pooled(nn::Exec& ex, const Tensor& last, std::span<const int64_t> positions) const;

 private:
  nn::Embedding embedding_;
  Tensor position_;  // [77, C] f32
  std::vector<ClipLayer> layers_;
  nn::LayerNorm final_norm_;
  std::optional<nn::Linear> projection_;
  nn::Activation activation_ = nn::Activation::quick_gelu;
};

}  // namespace maquette::models
