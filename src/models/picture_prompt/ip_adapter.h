// IP-Adapter (Ye et al. 2023): a picture as a prompt. What CLIP's picture encoder sees becomes a few tokens,
// which every cross attention of the UNet reads through key and value projections of their own.
//
//   plain  embedding [N, P] -- linear -- T tokens -- norm                       (T = 4 in the published
//   files) plus   patches [N, L, C], last but one layer -- resampler -- T tokens       (T = 16)
//
// Files: image_proj.* and ip_adapter.K.to_k_ip / to_v_ip, K = 1, 3, 5, ... counting the attentions of the
// UNet.
#pragma once

#include <variant>
#include <vector>

#include "models/picture_prompt/vision_encoder.h"
#include "models/unet/unet.h"

namespace maquette::models {

struct TokenProjection {
  nn::Linear linear;  // [P] -> [T C]
  nn::LayerNorm norm;

  Tensor operator()(nn::Exec& ex, const Tensor& embedding) const;  // [N, P] -> [N, T, C]
};

// Learned tokens ask the patches for what they need (the perceiver resampler of Alayrac et al. 2022).
struct Resampler {
  struct Layer {
    nn::LayerNorm norm_patches, norm_tokens;
    nn::Linear q, kv, out;
    nn::LayerNorm norm_feed;
    nn::Linear feed_in, feed_out;
  };
  Tensor tokens;  // [1, T, D]
  nn::Linear in, out;
  std::vector<Layer> layers;
  nn::LayerNorm norm_out;

  Tensor operator()(nn::Exec& ex, const Tensor& patches) const;  // [N, L, C'] -> [N, T, C]
};

// Tokens [N, T, C] activations for nn::CrossContext::pictures: what the picture says, and what no picture
// says, for the negative prompt.
struct PictureTokens {
  Tensor picture;
  Tensor none;

  // [sees.size(), T, C]: the tokens of the picture where `sees` says so, else those of none; from one
  // picture.
  Tensor for_batch(nn::Exec& ex, const std::vector<bool>& sees) const;
};

class IpAdapter {
 public:
  // Throws Error(weights) for what is neither plain nor plus (faces, FaceID).
  static IpAdapter load(const nn::Scope& scope);

  bool is_plus() const { return std::holds_alternative<Resampler>(projection_); }
  int64_t token_width() const;    // the context width of the UNet it was made for
  int64_t picture_width() const;  // of the picture encoder: its embedding's width, or for plus its own

  // From what the encoder gave for the picture; `none` is made from a zero embedding, for plus from zero
  // pixels.
  PictureTokens tokens(nn::Exec& ex, const VisionEncoder& encoder, const Tensor& pixels) const;
  // The projection alone: [N, P], for plus [N, L, C'].
  Tensor project(nn::Exec& ex, const Tensor& seen) const;

  // Adds this adapter's projections to every cross attention of the UNet, and returns its number: the place
  // in nn::CrossContext::pictures that it reads. Throws Error(weights) where it was made for another UNet.
  size_t install(const UNet& unet) const;
  // Takes all picture prompts out of the UNet again.
  static void uninstall_all(const UNet& unet);

 private:
  std::variant<TokenProjection, Resampler> projection_;
  std::vector<nn::Linear> key_values_;  // one per cross attention, in the order of the file
};

}  // namespace maquette::models
