#include "models/picture_prompt/vision_encoder.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace maquette::models {

namespace {

[[noreturn]] void refuse(std::string_view field, std::string_view found, std::string_view expected) {
  throw Error(ErrorCode::weights, "cannot use the picture encoder")
      .with("field", field)
      .with("found", found)
      .with("expected", expected);
}

}  // namespace

VisionEncoderConfig VisionEncoderConfig::from_json(const Json& config) {
  if (config.contains("vision_config") && config["vision_config"].is_object()) {
    return from_json(config["vision_config"]);
  }
  VisionEncoderConfig result;
  if (config.contains("num_attention_heads") && config["num_attention_heads"].is_number_integer()) {
    result.heads = std::clamp<int64_t>(config["num_attention_heads"].get<int64_t>(), 1, 4096);
  }
  if (config.contains("layer_norm_eps") && config["layer_norm_eps"].is_number()) {
    result.epsilon = config["layer_norm_eps"].get<float>();
  }
  if (config.contains("hidden_act")) {
    if (config["hidden_act"] == "quick_gelu") {
      result.activation = nn::Activation::quick_gelu;
    } else if (config["hidden_act"] == "gelu") {
      result.activation = nn::Activation::gelu;
    } else {
      refuse("hidden_act", config["hidden_act"].dump(), "quick_gelu or gelu");
    }
  }
  return result;
}

VisionEncoder VisionEncoder::load(const nn::Scope& scope, const VisionEncoderConfig& config) {
  VisionEncoder encoder;
  const nn::Scope model = scope / "vision_model";
  const nn::Scope embeddings = model / "embeddings";

  // Patches are cut by a convolution whose stride is its kernel.
  const Shape kernel = embeddings.shape("patch_embedding.weight");
  constexpr int64_t kWidestPatch = 64;
  if (kernel.rank() != 4 || kernel[2] != kernel[3] || kernel[1] != 3 || kernel[2] < 1 ||
      kernel[2] > kWidestPatch) {
    embeddings.refuse("patch_embedding.weight", kernel, "[width, 3, patch, patch]");
  }
  const auto patch = static_cast<int>(kernel[2]);
  encoder.patches_ = nn::load_conv2d(embeddings / "patch_embedding", kernels::ConvGeometry{.stride = patch});
  const int64_t width = encoder.width();
  encoder.class_token_ = embeddings.vector("class_embedding", width);

  // One position for the class token, then one for each patch of a square picture.
  constexpr int64_t kLargestGrid = 256;  // patches per side
  const Shape positions = embeddings.shape("position_embedding.weight");
  int64_t grid = 1;
  while (positions.rank() == 2 && grid < kLargestGrid && grid * grid + 1 < positions[0]) ++grid;
  if (positions.rank() != 2 || positions[0] != grid * grid + 1 || positions[1] != width) {
    embeddings.refuse("position_embedding.weight", positions, fmt::format("[1 + a square, {}]", width));
  }
  encoder.position_ = embeddings.vector("position_embedding.weight");
  encoder.picture_size_ = grid * patch;

  const int64_t heads = config.heads > 0 ? config.heads : width == 768 ? 12 : 16;
  const bool openai = width == 768 || width == 1024;
  encoder.activation_ = config.activation != nn::Activation::none ? config.activation
                        : openai                                  ? nn::Activation::quick_gelu
                                                                  : nn::Activation::gelu;
  encoder.norm_before_ = nn::load_layer_norm(model / "pre_layrnorm", config.epsilon, width);
  const int count = model.count("encoder.layers");
  for (int i = 0; i < count; ++i) {
    encoder.layers_.push_back(
        load_clip_layer(model / fmt::format("encoder.layers.{}", i), heads, width, config.epsilon));
  }
  encoder.norm_after_ = nn::load_layer_norm(model / "post_layernorm", config.epsilon, width);
  if (scope.has("visual_projection.weight"))
    encoder.projection_ = nn::load_linear(scope / "visual_projection", {.in = width});
  return encoder;
}

VisionOutput VisionEncoder::operator()(nn::Exec& ex, const Tensor& pixels) const {
  if (pixels.rank() != 4 || pixels.size(1) != 3 || pixels.size(2) != picture_size_ ||
      pixels.size(3) != picture_size_) {
    throw Error(ErrorCode::failed, "cannot encode a picture of {}", pixels.shape().text())
        .with("expected", fmt::format("[N, 3, {0}, {0}]", picture_size_));
  }
  nn::Exec wide = ex;
  wide.activations = DType::f32;
  wide.wrap = {};

  // Each picture is its class token followed by its patches, with the place of each added.
  const Tensor cut = patches_(wide, kernels::to_channels_last(wide, pixels));
  const int64_t n = pixels.size(0);
  const int64_t length = position_.size(0);
  Tensor h = Tensor::empty({n, length, width()});
  for (int64_t i = 0; i < n; ++i) {
    const auto rows = h.rows(i, i + 1).data();
    const auto patches = cut.rows(i, i + 1);
    std::ranges::copy(class_token_.data(), rows.begin());
    std::ranges::copy(patches.data(), rows.begin() + width());
    std::ranges::transform(rows, position_.data(), rows.begin(), std::plus<>());
  }
  h = norm_before_(wide, h);

  VisionOutput out;
  out.hidden.push_back(h);
  for (const ClipLayer& layer : layers_) {
    h = layer(wide, h, activation_, /*causal=*/false);
    out.hidden.push_back(h);
    ex.trace("vision_model.encoder", h);
  }
  if (!projection_) return out;
  Tensor first = Tensor::empty({n, width()});
  for (int64_t i = 0; i < n; ++i) {
    const auto row =
        h.data().subspan(static_cast<size_t>(i * length * width()), static_cast<size_t>(width()));
    std::ranges::copy(row, first.rows(i, i + 1).data().begin());
  }
  out.embedding = (*projection_)(wide, norm_after_(wide, first));
  return out;
}

}  // namespace maquette::models
