// The file counts the attentions of the UNet as diffusers lists them: the stages down, up, then the middle,
// in each transformer block the self attention before the cross attention. Cross attentions so have the odd
// numbers.
#include "models/picture_prompt/ip_adapter.h"

#include <algorithm>
#include <cstring>

namespace maquette::models {

namespace {

constexpr int64_t kHeadSize = 64;  // of the resampler, in all published files
constexpr int kMostAttentions = 2000;
constexpr float kNormEpsilon = 1e-5f;

[[noreturn]] void refuse(std::string_view field, std::string_view found, std::string_view expected) {
  throw Error(ErrorCode::weights, "cannot use the IP-Adapter")
      .with("tensor", field)
      .with("found", found)
      .with("expected", expected);
}

}  // namespace

// --- projections ---

Tensor TokenProjection::operator()(nn::Exec& ex, const Tensor& embedding) const {
  const int64_t width = norm.width();
  const Tensor tokens = linear(ex, embedding);
  return norm(ex, tokens.reshape({embedding.size(0), tokens.size(1) / width, width}));
}

namespace {

// One step of the resampler: tokens look at the patches and at themselves, then a feed-forward; both add to
// them.
Tensor resample_step(nn::Exec& ex, const Resampler::Layer& layer, const Tensor& patches,
                     const Tensor& tokens) {
  const Tensor asking = layer.norm_tokens(ex, tokens);
  const Tensor seen = kernels::concat_tokens(ex, layer.norm_patches(ex, patches), asking);
  const Tensor q = layer.q(ex, asking);
  const Tensor kv = layer.kv(ex, seen);
  const int64_t width = q.size(2);
  const auto* values =
      static_cast<const std::byte*>(kv.raw()) + static_cast<size_t>(width) * size_of(kv.dtype());
  const Tensor mixed = kernels::attention(ex, {.q = q.raw(),
                                               .k = kv.raw(),
                                               .v = values,
                                               .q_stride = width,
                                               .k_stride = 2 * width,
                                               .v_stride = 2 * width,
                                               .n = q.size(0),
                                               .q_length = q.size(1),
                                               .k_length = kv.size(1),
                                               .heads = width / kHeadSize,
                                               .head_size = kHeadSize,
                                               .type = q.dtype()});
  const Tensor h = layer.out(ex, mixed, {.residual = &tokens});
  const Tensor inner = layer.feed_in(ex, layer.norm_feed(ex, h), {.activation = nn::Activation::gelu});
  return layer.feed_out(ex, inner, {.residual = &h});
}

}  // namespace

Tensor Resampler::operator()(nn::Exec& ex, const Tensor& patches) const {
  const Tensor seen = in(ex, patches);
  const int64_t n = patches.size(0);
  Tensor h = ex.empty({n, tokens.size(1), tokens.size(2)}, DType::f32);
  for (int64_t i = 0; i < n; ++i) std::ranges::copy(tokens.data(), h.rows(i, i + 1).data().begin());
  for (const Layer& layer : layers) h = resample_step(ex, layer, seen, h);
  return norm_out(ex, out(ex, h));
}

// --- loading ---

namespace {

TokenProjection load_token_projection(const nn::Scope& scope) {
  constexpr int64_t kMostTokens = 4096;
  TokenProjection projection{.linear = nn::load_linear(scope / "proj"),
                             .norm = nn::load_layer_norm(scope / "norm")};
  const int64_t width = projection.norm.weight.elements();
  if (projection.linear.out_features() % width != 0 ||
      projection.linear.out_features() / width > kMostTokens) {
    refuse(scope.full_name("proj.weight"), fmt::format("{} features", projection.linear.out_features()),
           fmt::format("a multiple of {}", width));
  }
  return projection;
}

Resampler::Layer load_resampler_layer(const nn::Scope& scope, int64_t width) {
  const nn::Linear q = nn::load_linear(scope / "0.to_q", {.in = width});
  const int64_t inner = q.out_features();
  if (inner % kHeadSize != 0) {
    refuse(q.name, fmt::format("{} features", inner), fmt::format("heads of {}", kHeadSize));
  }
  const nn::Linear feed_in = nn::load_linear(scope / "1.1", {.in = width});
  return {.norm_patches = nn::load_layer_norm(scope / "0.norm1", kNormEpsilon, width),
          .norm_tokens = nn::load_layer_norm(scope / "0.norm2", kNormEpsilon, width),
          .q = q,
          .kv = nn::load_linear(scope / "0.to_kv", {.in = width, .out = 2 * inner}),
          .out = nn::load_linear(scope / "0.to_out", {.in = inner, .out = width}),
          .norm_feed = nn::load_layer_norm(scope / "1.0", kNormEpsilon, width),
          .feed_in = feed_in,
          .feed_out = nn::load_linear(scope / "1.3", {.in = feed_in.out_features(), .out = width})};
}

Resampler load_resampler(const nn::Scope& scope) {
  Resampler resampler;
  resampler.tokens = scope.vector("latents");
  resampler.in = nn::load_linear(scope / "proj_in");
  const int64_t width = resampler.in.out_features();
  resampler.out = nn::load_linear(scope / "proj_out", {.in = width});
  resampler.norm_out = nn::load_layer_norm(scope / "norm_out", kNormEpsilon, resampler.out.out_features());
  if (resampler.tokens.rank() != 3 || resampler.tokens.size(0) != 1 || resampler.tokens.size(2) != width) {
    refuse(scope.full_name("latents"), resampler.tokens.shape().text(),
           fmt::format("[1, tokens, {}]", width));
  }
  const int count = scope.count("layers");
  for (int i = 0; i < count; ++i) {
    resampler.layers.push_back(load_resampler_layer(scope / fmt::format("layers.{}", i), width));
  }
  return resampler;
}

}  // namespace

IpAdapter IpAdapter::load(const nn::Scope& scope) {
  IpAdapter adapter;
  const nn::Scope projection = scope / "image_proj";
  if (projection.has("latents")) {
    adapter.projection_ = load_resampler(projection);
  } else if (projection.has("proj.weight") && projection.has("norm.weight")) {
    adapter.projection_ = load_token_projection(projection);
  } else {
    refuse(projection.full_name("proj.weight"), "a projection of another kind",
           "a plain IP-Adapter (proj, norm) or a plus one (latents)");
  }
  for (int number = 1; number < kMostAttentions; number += 2) {
    const nn::Scope attention = scope / fmt::format("ip_adapter.{}", number);
    if (!attention.has("to_k_ip.weight")) break;
    adapter.key_values_.push_back(nn::load_linears(attention, {"to_k_ip", "to_v_ip"}));
  }
  if (adapter.key_values_.empty()) {
    refuse(scope.full_name("ip_adapter.1.to_k_ip.weight"), "nothing", "projections for each cross attention");
  }
  return adapter;
}

int64_t IpAdapter::token_width() const {
  if (const auto* plus = std::get_if<Resampler>(&projection_)) return plus->out.out_features();
  return std::get<TokenProjection>(projection_).norm.weight.elements();
}

int64_t IpAdapter::picture_width() const {
  if (const auto* plus = std::get_if<Resampler>(&projection_)) return plus->in.in_features();
  return std::get<TokenProjection>(projection_).linear.in_features();
}

// --- use ---

Tensor IpAdapter::project(nn::Exec& ex, const Tensor& seen) const {
  if (seen.size(-1) != picture_width()) {
    throw Error(ErrorCode::weights, "cannot use the IP-Adapter with this picture encoder")
        .with("found", fmt::format("{} features", seen.size(-1)))
        .with("expected", fmt::format("{}", picture_width()))
        .hint("each IP-Adapter was made for one picture encoder (ViT-H, or bigG for some SDXL files)");
  }
  nn::Exec wide = ex;
  wide.activations = DType::f32;
  return std::visit([&](const auto& projection) { return projection(wide, seen); }, projection_);
}

PictureTokens IpAdapter::tokens(nn::Exec& ex, const VisionEncoder& encoder, const Tensor& pixels) const {
  Tensor seen;
  Tensor nothing;
  if (is_plus()) {
    // The last but one hidden state: after all layers but one.
    const auto place = static_cast<size_t>(std::max<int64_t>(encoder.layers() - 1, 0));
    seen = encoder(ex, pixels).hidden[place];
    nothing = encoder(ex, Tensor::zeros(pixels.shape())).hidden[place];
  } else {
    seen = encoder(ex, pixels).embedding;
    if (!seen.defined()) {
      throw Error(ErrorCode::weights, "cannot use the picture encoder")
          .with("tensor", "visual_projection.weight")
          .with("found", "nothing")
          .with("expected", "the projection, which plain IP-Adapters read");
    }
    nothing = Tensor::zeros(seen.shape());
  }
  return {.picture = kernels::convert(ex, project(ex, seen), ex.activations),
          .none = kernels::convert(ex, project(ex, nothing), ex.activations)};
}

Tensor PictureTokens::for_batch(nn::Exec& ex, const std::vector<bool>& sees) const {
  const auto n = static_cast<int64_t>(sees.size());
  Tensor out = ex.empty({n, picture.size(1), picture.size(2)}, picture.dtype());
  for (int64_t i = 0; i < n; ++i) {
    const Tensor& from = sees[static_cast<size_t>(i)] ? picture : none;
    std::memcpy(out.rows(i, i + 1).raw(), from.raw(), out.bytes() / sees.size());
  }
  return out;
}

size_t IpAdapter::install(const UNet& unet) const {
  const std::vector<const nn::Attention*> attentions = unet.cross_attentions();
  bool fits = attentions.size() == key_values_.size();
  for (size_t i = 0; fits && i < attentions.size(); ++i) {
    const nn::Linear& projection = key_values_[i];
    fits = projection.out_features() == attentions[i]->kv->out_features() &&
           projection.in_features() == token_width();
  }
  if (!fits) {
    throw Error(ErrorCode::weights, "cannot use the IP-Adapter with this UNet")
        .with("found", fmt::format("projections for {} cross attentions, tokens {} wide", key_values_.size(),
                                   token_width()))
        .with("expected",
              fmt::format("{} cross attentions, text {} wide", attentions.size(), unet.context_width()))
        .hint("it was made for another model family");
  }
  size_t place = 0;
  for (size_t i = 0; i < attentions.size(); ++i) {
    place = attentions[i]->picture_kv->size();
    attentions[i]->picture_kv->push_back(key_values_[i]);
  }
  return place;
}

void IpAdapter::uninstall_all(const UNet& unet) {
  for (const nn::Attention* attention : unet.cross_attentions()) attention->picture_kv->clear();
}

}  // namespace maquette::models
