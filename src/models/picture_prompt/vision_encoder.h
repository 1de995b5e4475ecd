// CLIP's picture encoder (Radford et al. 2021, with the vision transformer of Dosovitskiy et al. 2021), as
// IP-Adapters use it: OpenAI's ViT-L, OpenCLIP's H and bigG, and small ones.
//
//   pixels -- patches -- class token + patches + positions -- norm -- layers -- norm of the class token --
//   projection
#pragma once

#include <optional>
#include <vector>

#include "base/json.h"
#include "models/clip/clip_layer.h"

namespace maquette::models {

struct VisionEncoderConfig {
  int64_t heads = 0;  // 0: 12 for width 768 (ViT-B), else 16
  nn::Activation activation =
      nn::Activation::none;  // none: quick GELU for width 1024 and 768 (OpenAI), else GELU
  float epsilon = 1e-5f;

  // From config.json of transformers' CLIPVisionModelWithProjection, or of a whole CLIP (vision_config); an
  // empty object gives the defaults above. Throws Error(weights) on activations that no published encoder
  // has.
  static VisionEncoderConfig from_json(const Json& config);
};

struct VisionOutput {
  std::vector<Tensor> hidden;  // [N, 1 + patches, C] f32: before the layers, then after each
  Tensor embedding;  // [N, P] f32: the class token, normalised and projected; undefined without projection
};

class VisionEncoder {
 public:
  // Names as transformers has them (vision_model..., visual_projection).
  static VisionEncoder load(const nn::Scope& scope, const VisionEncoderConfig& config);

  int64_t width() const { return patches_.out_channels(); }
  int64_t embedding_width() const { return projection_ ? projection_->out_features() : 0; }
  int64_t picture_size() const { return picture_size_; }  // 224: the side of the pixels that it takes
  int64_t layers() const { return static_cast<int64_t>(layers_.size()); }

  // pixels [N, 3, S, S] f32 prepared as for prepare_for_vision, S = picture_size(). Always in f32: it runs
  // once per picture prompt.
  VisionOutput operator()(nn::Exec& ex, const Tensor& pixels) const;

 private:
  nn::Conv2d patches_;
  Tensor class_token_;  // [C]
  Tensor position_;     // [1 + patches, C]
  nn::LayerNorm norm_before_;
  std::vector<ClipLayer> layers_;
  nn::LayerNorm norm_after_;
  std::optional<nn::Linear> projection_;
  nn::Activation activation_ = nn::Activation::gelu;
  int64_t picture_size_ = 224;
};

}  // namespace maquette::models
