// The transformer layer of CLIP's text and picture encoders (Radford et al. 2021): attention and a
// feed-forward, each after a norm and added to what came in. The two differ in the causal mask alone.
#pragma once

#include "nn/attention.h"

namespace maquette::models {

struct ClipLayer {
  nn::LayerNorm norm1;
  nn::Attention attention;
  nn::LayerNorm norm2;
  nn::Linear fc1, fc2;

  // h [N, T, C] -> [N, T, C]. Causal: a token sees only those up to itself (text).
  Tensor operator()(nn::Exec& ex, Tensor h, nn::Activation activation, bool causal) const;
};

// Names as transformers has them: layer_norm1, self_attn, layer_norm2, mlp.fc1, mlp.fc2.
ClipLayer load_clip_layer(const nn::Scope& scope, int64_t heads, int64_t width, float epsilon);

}  // namespace maquette::models
