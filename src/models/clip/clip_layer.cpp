#include "models/clip/clip_layer.h"

namespace maquette::models {

Tensor ClipLayer::operator()(nn::Exec& ex, Tensor h, nn::Activation activation, bool causal) const {
  h = attention.self(ex, norm1(ex, h), h, causal);
  return fc2(ex, fc1(ex, norm2(ex, h), {.activation = activation}), {.residual = &h});
}

ClipLayer load_clip_layer(const nn::Scope& scope, int64_t heads, int64_t width, float epsilon) {
  ClipLayer layer{.norm1 = nn::load_layer_norm(scope / "layer_norm1", epsilon, width),
                  .attention = nn::load_clip_attention(scope / "self_attn", heads, width),
                  .norm2 = nn::load_layer_norm(scope / "layer_norm2", epsilon, width),
                  .fc1 = nn::load_linear(scope / "mlp.fc1", {.in = width}),
                  .fc2 = {}};
  layer.fc2 = nn::load_linear(scope / "mlp.fc2", {.in = layer.fc1.out_features(), .out = width});
  return layer;
}

}  // namespace maquette::models
