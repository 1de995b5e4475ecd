#include "nn/attention.h"

namespace maquette::nn {

const Tensor& CrossContext::cached(Exec& ex, const Linear& layer, const Tensor& tokens, size_t slot) const {
  const auto key = std::pair(layer.weights.get(), slot);
  const auto found = cache_.find(key);
  if (found != cache_.end()) return found->second;
  return cache_.emplace(key, layer(ex, tokens)).first->second;
}

const Tensor& CrossContext::keys_values(Exec& ex, const Linear& layer) const {
  return cached(ex, layer, tokens_, 0);
}

const Tensor& CrossContext::picture_keys_values(Exec& ex, const Linear& layer, size_t picture) const {
  return cached(ex, layer, pictures[picture].tokens, picture + 1);
}

namespace {

// The part of a [N, T, parts * C] tensor that starts `part` times C in, as attention reads it.
const void* part_of(const Tensor& t, int64_t offset) {
  return static_cast<const std::byte*>(t.raw()) + static_cast<size_t>(offset) * size_of(t.dtype());
}

// softmax(q k^T) v with k and v side by side in one tensor [N, Tk, 2 C].
Tensor attend(Exec& ex, const Tensor& q, const Tensor& kv, int64_t heads, const Tensor& bias) {
  const int64_t width = q.size(2);
  if (kv.size(0) != q.size(0) || kv.size(2) != 2 * width) {
    throw Error(ErrorCode::weights, "cannot attend from {} to keys and values of {}", q.shape().text(),
                kv.shape().text())
        .with("expected", fmt::format("[{}, tokens, {}]", q.size(0), 2 * width));
  }
  return kernels::attention(ex, {.q = q.raw(),
                                 .k = kv.raw(),
                                 .v = part_of(kv, width),
                                 .q_stride = width,
                                 .k_stride = 2 * width,
                                 .v_stride = 2 * width,
                                 .n = q.size(0),
                                 .q_length = q.size(1),
                                 .k_length = kv.size(1),
                                 .heads = heads,
                                 .head_size = width / heads,
                                 .type = q.dtype(),
                                 .bias = bias});
}

}  // namespace

Tensor Attention::self(Exec& ex, const Tensor& x, const Tensor& residual, bool causal) const {
  const Tensor projected = (*qkv)(ex, x);  // [N, T, 3 C']
  const int64_t width = projected.size(2) / 3;
  const Tensor mixed = kernels::attention(ex, {.q = projected.raw(),
                                               .k = part_of(projected, width),
                                               .v = part_of(projected, 2 * width),
                                               .q_stride = 3 * width,
                                               .k_stride = 3 * width,
                                               .v_stride = 3 * width,
                                               .n = x.size(0),
                                               .q_length = x.size(1),
                                               .k_length = x.size(1),
                                               .heads = heads,
                                               .head_size = width / heads,
                                               .type = projected.dtype(),
                                               .causal = causal});
  return out(ex, mixed, {.residual = &residual});
}

Tensor Attention::cross(Exec& ex, const Tensor& x, const CrossContext& context,
                        const Tensor& residual) const {
  const Tensor queries = (*q)(ex, x);
  const auto bias = context.score_bias.find(x.size(1));
  Tensor mixed = attend(ex, queries, context.keys_values(ex, *kv), heads,
                        bias == context.score_bias.end() ? Tensor() : bias->second);
  for (size_t i = 0; i < context.pictures.size() && i < picture_kv->size(); ++i) {
    const Tensor seen =
        attend(ex, queries, context.picture_keys_values(ex, (*picture_kv)[i], i), heads, Tensor());
    mixed = kernels::add_scaled(ex, mixed, seen, context.pictures[i].weight);
  }
  return out(ex, mixed, {.residual = &residual});
}

namespace {

// The heads share the `inner` features of the queries evenly.
int64_t checked_heads(const Scope& scope, std::string_view projection, int64_t heads, int64_t inner) {
  if (heads >= 1 && inner % heads == 0) return heads;
  throw Error(ErrorCode::weights, "cannot split {} features into {} heads", inner, heads)
      .with("tensor", scope.full_name(fmt::format("{}.weight", projection)))
      .with("expected", "a number of heads that divides the features");
}

struct SelfAttentionNames {
  std::string_view q, k, v, out;
};

Attention load_named(const Scope& scope, int64_t heads, int64_t width, const SelfAttentionNames& names) {
  Attention attention;
  attention.qkv = load_linears(scope, {names.q, names.k, names.v}, {.in = width});
  const int64_t inner = attention.qkv->out_features() / 3;
  attention.out = load_linear(scope / names.out, {.in = inner, .out = width});
  attention.heads = checked_heads(scope, names.q, heads, inner);
  return attention;
}

}  // namespace

Attention load_self_attention(const Scope& scope, int64_t heads, int64_t width) {
  return load_named(scope, heads, width, {.q = "to_q", .k = "to_k", .v = "to_v", .out = "to_out.0"});
}

Attention load_clip_attention(const Scope& scope, int64_t heads, int64_t width) {
  return load_named(scope, heads, width, {.q = "q_proj", .k = "k_proj", .v = "v_proj", .out = "out_proj"});
}

Attention load_cross_attention(const Scope& scope, int64_t heads, int64_t width) {
  Attention attention;
  attention.q = load_linear(scope / "to_q", {.in = width});
  const int64_t inner = attention.q->out_features();
  attention.kv = load_linears(scope, {"to_k", "to_v"}, {.out = inner});
  attention.out = load_linear(scope / "to_out.0", {.in = inner, .out = width});
  attention.heads = checked_heads(scope, "to_q", heads, inner);
  return attention;
}

}  // namespace maquette::nn
