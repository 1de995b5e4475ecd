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

Attention load_self_attention(const Scope& scope, int64_t heads) {
  Attention attention;
  attention.qkv = load_linears(scope, {"to_q", "to_k", "to_v"});
  attention.out = load_linear(scope / "to_out.0");
  attention.heads = heads;
  return attention;
}

Attention load_cross_attention(const Scope& scope, int64_t heads) {
  Attention attention;
  attention.q = load_linear(scope / "to_q");
  attention.kv = load_linears(scope, {"to_k", "to_v"});
  attention.out = load_linear(scope / "to_out.0");
  attention.heads = heads;
  return attention;
}

}  // namespace maquette::nn
