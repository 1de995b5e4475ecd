#include "models/clip/text_encoder.h"

#include <algorithm>
#include <functional>

namespace maquette::models {

TextEncoderConfig TextEncoderConfig::from_json(const Json& config) {
  TextEncoderConfig result;
  const auto refuse = [&config](const char* field, std::string_view expected) {
    throw Error(ErrorCode::weights, "cannot use the text encoder's configuration")
        .with("field", field)
        .with("found", config[field].dump())
        .with("expected", expected);
  };
  if (config.contains("num_attention_heads")) {
    const Json& heads = config["num_attention_heads"];
    if (!heads.is_number_integer() || heads.get<int64_t>() < 1) {
      refuse("num_attention_heads", "a positive whole number");
    }
    result.heads = heads.get<int64_t>();
  }
  if (config.contains("layer_norm_eps")) {
    if (!config["layer_norm_eps"].is_number()) refuse("layer_norm_eps", "a number");
    result.epsilon = config["layer_norm_eps"].get<float>();
  }
  if (config.contains("hidden_act")) {
    const Json& name = config["hidden_act"];
    if (name == "quick_gelu") {
      result.activation = nn::Activation::quick_gelu;
    } else if (name == "gelu") {
      result.activation = nn::Activation::gelu;
    } else {
      refuse("hidden_act", "quick_gelu or gelu");
    }
  }
  return result;
}

TextEncoder TextEncoder::load(const nn::Scope& scope, const TextEncoderConfig& config) {
  TextEncoder encoder;
  // transformers 5 writes the encoder without this prefix.
  const nn::Scope model =
      scope.has("text_model.embeddings.token_embedding.weight") ? scope / "text_model" : scope;
  encoder.embedding_ = nn::load_embedding(model / "embeddings.token_embedding");
  encoder.position_ = (model / "embeddings").vector("position_embedding.weight");
  const int64_t width = encoder.width();
  const int64_t heads = config.heads > 0 ? config.heads : std::max<int64_t>(width / 64, 1);
  if (encoder.position_.rank() != 2 || encoder.position_.size(1) != width) {
    (model / "embeddings")
        .refuse("position_embedding.weight", encoder.position_.shape(),
                fmt::format("[positions, {}]", width));
  }
  const bool openai = width == 768;
  encoder.activation_ = config.activation != nn::Activation::none ? config.activation
                        : openai                                  ? nn::Activation::quick_gelu
                                                                  : nn::Activation::gelu;
  const int count = model.count("encoder.layers");
  for (int i = 0; i < count; ++i) {
    encoder.layers_.push_back(
        load_clip_layer(model / fmt::format("encoder.layers.{}", i), heads, width, config.epsilon));
  }
  encoder.final_norm_ = nn::load_layer_norm(model / "final_layer_norm", config.epsilon, width);
  if (scope.has("text_projection.weight")) {
    encoder.projection_ = nn::load_linear(scope / "text_projection", {.in = width});
  }
  return encoder;
}

TextOutput TextEncoder::operator()(nn::Exec& ex, std::span<const std::vector<TextInput>> sequences) const {
  const auto n = static_cast<int64_t>(sequences.size());
  const int64_t length = n == 0 ? 0 : static_cast<int64_t>(sequences[0].size());
  if (n == 0 || length == 0 || length > positions()) {
    throw Error(n == 0 || length == 0 ? ErrorCode::failed : ErrorCode::weights,
                "cannot encode {} sequences of {} tokens", n, length)
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
  const kernels::PackedOnce once(ex);
  TextOutput out;
  out.hidden.push_back(h);
  for (const ClipLayer& layer : layers_) {
    h = layer(ex, h, activation_, /*causal=*/true);
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
  if (!projection_) return picked;
  const kernels::PackedOnce once(ex);
  return (*projection_)(ex, picked);
}

}  // namespace maquette::models
