#include "models/clip/text_encoder.h"

#include <algorithm>
#include <functional>

namespace maquette::models {

TextEncoderConfig TextEncoderConfig::from_json(const Json& config) {
  TextEncoderConfig result;
  if (config.contains("num_attention_heads")) result.heads = config["num_attention_heads"].get<int64_t>();
  if (config.contains("layer_norm_eps")) result.epsilon = config["layer_norm_eps"].get<float>();
  if (config.contains("hidden_act")) {
    const auto name = config["hidden_act"].get<std::string>();
    if (name == "quick_gelu") {
      result.activation = nn::Activation::quick_gelu;
    } else if (name == "gelu") {
      result.activation = nn::Activation::gelu;
    } else {
      throw Error(ErrorCode::weights, "cannot use the text encoder's configuration")
          .with("field", "hidden_act")
          .with("found", name)
          .with("expected", "quick_gelu or gelu");
    }
  }
  return result;
}

Tensor TextLayer::operator()(nn::Exec& ex, Tensor h, nn::Activation activation) const {
  h = attention.self(ex, norm1(ex, h), h, /*causal=*/true);
  return fc2(ex, fc1(ex, norm2(ex, h), {.activation = activation}), {.residual = &h});
}

namespace {

TextLayer load_layer(const nn::Scope& scope, int64_t heads, float epsilon) {
  TextLayer layer{.norm1 = nn::load_layer_norm(scope / "layer_norm1", epsilon),
                  .attention = {},
                  .norm2 = nn::load_layer_norm(scope / "layer_norm2", epsilon),
                  .fc1 = nn::load_linear(scope / "mlp.fc1"),
                  .fc2 = nn::load_linear(scope / "mlp.fc2")};
  const nn::Scope attention = scope / "self_attn";
  layer.attention.qkv = nn::load_linears(attention, {"q_proj", "k_proj", "v_proj"});
  layer.attention.out = nn::load_linear(attention / "out_proj");
  layer.attention.heads = heads;
  return layer;
}

}  // namespace

TextEncoder TextEncoder::load(const nn::Scope& scope, const TextEncoderConfig& config) {
  TextEncoder encoder;
  // transformers 5 writes the encoder without this prefix.
  const nn::Scope model =
      scope.has("text_model.embeddings.token_embedding.weight") ? scope / "text_model" : scope;
  encoder.embedding_ = nn::load_embedding(model / "embeddings.token_embedding");
  encoder.position_ = (model / "embeddings").vector("position_embedding.weight");
  const int64_t width = encoder.width();
  const int64_t heads = config.heads > 0 ? config.heads : std::max<int64_t>(width / 64, 1);
  if (width % heads != 0 || encoder.position_.rank() != 2 || encoder.position_.size(1) != width) {
    throw Error(ErrorCode::weights, "cannot use the text encoder")
        .with("found", fmt::format("width {}, {} heads", width, heads));
  }
  const bool openai = width == 768;
  encoder.activation_ = config.activation != nn::Activation::none ? config.activation
                        : openai                                  ? nn::Activation::quick_gelu
                                                                  : nn::Activation::gelu;
  for (int i = 0; i < model.count("encoder.layers"); ++i) {
    encoder.layers_.push_back(load_layer(model / fmt::format("encoder.layers.{}", i), heads, config.epsilon));
  }
  encoder.final_norm_ = nn::load_layer_norm(model / "final_layer_norm", config.epsilon);
  if (scope.has("text_projection.weight")) encoder.projection_ = nn::load_linear(scope / "text_projection");
  return encoder;
}

TextOutput TextEncoder::operator()(nn::Exec& ex, std::span<const std::vector<TextInput>> sequences) const {
  const auto n = static_cast<int64_t>(sequences.size());
  const int64_t length = n == 0 ? 0 : static_cast<int64_t>(sequences[0].size());
  if (n == 0 || length == 0 || length > positions()) {
    throw Error(ErrorCode::failed, "cannot encode {} sequences of {} tokens", n, length)
        .with("expected", fmt::format("1 to {} tokens", positions()));
  }
  Tensor h = Tensor::empty({n, length, width()});
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t t = 0; t < length; ++t) {
      const TextInput& token = sequences[static_cast<size_t>(i)][static_cast<size_t>(t)];
      const auto offset = static_cast<size_t>((i * length + t) * width());
      const auto row = h.data().subspan(offset, static_cast<size_t>(width()));
      if (token.vector) {
        std::copy_n(token.vector, width(), row.begin());
      } else {
        embedding_.row(token.id, row);
      }
      const auto position = position_.rows(t, t + 1);
      std::ranges::transform(row, position.data(), row.begin(), std::plus<>());
    }
  }
  TextOutput out;
  out.hidden.push_back(h);
  for (const TextLayer& layer : layers_) {
    h = layer(ex, h, activation_);
    out.hidden.push_back(h);
  }
  out.last = final_norm_(ex, h);
  return out;
}

Tensor TextEncoder::pooled(nn::Exec& ex, const Tensor& last, std::span<const int64_t> positions) const {
  Tensor picked = Tensor::empty({last.size(0), last.size(2)});
  for (int64_t i = 0; i < last.size(0); ++i) {
    const auto offset =
        static_cast<size_t>((i * last.size(1) + positions[static_cast<size_t>(i)]) * last.size(2));
    const auto row = last.data().subspan(offset, static_cast<size_t>(last.size(2)));
    std::ranges::copy(row, picked.rows(i, i + 1).data().begin());
  }
  return projection_ ? (*projection_)(ex, picked) : picked;
}

}  // namespace maquette::models
