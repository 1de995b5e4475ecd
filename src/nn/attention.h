// Multi-head attention as transformers have it: projections to q, k, v, attention, and the projection out.
#pragma once

#include <map>

#include "nn/layers.h"

namespace maquette::nn {

// What the text (and picture prompts) say to every cross attention of a network, for one picture. The keys
// and values of each layer are computed at the first step and kept.
class CrossContext {
 public:
  CrossContext() = default;
  explicit CrossContext(Tensor tokens) : tokens_(std::move(tokens)) {}

  const Tensor& tokens() const { return tokens_; }  // [N, T, C] activations
  // layer(tokens), computed once per layer.
  const Tensor& keys_values(Exec& ex, const Linear& layer) const;

  // Regional prompts: [1 or N, Tq, Tk] f32 added to the scores of pictures with Tq pixels; none where absent.
  std::map<int64_t, Tensor> score_bias;

  // Picture prompts (IP-Adapter): tokens of their own, seen through projections of their own.
  struct Picture {
    Tensor tokens;  // [N, T, C]
    float weight = 1;
  };
  std::vector<Picture> pictures;

  const Tensor& picture_keys_values(Exec& ex, const Linear& layer, size_t picture) const;

 private:
  const Tensor& cached(Exec& ex, const Linear& layer, const Tensor& tokens, size_t slot) const;

  Tensor tokens_;
  mutable std::map<std::pair<const kernels::MatmulWeights*, size_t>, Tensor> cache_;
};

// x [N, T, C] -> [N, T, C]. Self attention has one product for q, k and v; cross attention one for q, one for
// k and v together.
struct Attention {
  std::optional<Linear> qkv;  // self attention
  std::optional<Linear> q;    // cross attention
  std::optional<Linear> kv;
  Linear out;
  int64_t heads = 1;
  // One projection of picture-prompt keys and values per loaded IP-Adapter, shared by copies of the layer.
  std::shared_ptr<std::vector<Linear>> picture_kv = std::make_shared<std::vector<Linear>>();

  // Adds the residual: returns residual + out(attention(x)).
  Tensor self(Exec& ex, const Tensor& x, const Tensor& residual, bool causal = false) const;
  Tensor cross(Exec& ex, const Tensor& x, const CrossContext& context, const Tensor& residual) const;
};

// For sequences [N, T, width]. Names as diffusers has them: to_q, to_k, to_v, to_out.0. Throw Error(weights)
// where the projections do not fit each other, the sequence or the number of heads.
Attention load_self_attention(const Scope& scope, int64_t heads, int64_t width);
Attention load_cross_attention(const Scope& scope, int64_t heads, int64_t width);
// Self attention with the names that transformers has in CLIP: q_proj, k_proj, v_proj, out_proj.
Attention load_clip_attention(const Scope& scope, int64_t heads, int64_t width);

}  // namespace maquette::nn
