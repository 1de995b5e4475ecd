#include "weights/detect_part.h"

#include <algorithm>
#include <array>
#include <set>

namespace maquette::weights {

namespace {

bool contains_any(std::string_view name, std::initializer_list<std::string_view> parts) {
  return std::ranges::any_of(parts, [&](auto part) { return name.find(part) != std::string_view::npos; });
}

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> ends) {
  return std::ranges::any_of(ends, [&](auto end) { return name.ends_with(end); });
}

PartFamily by_context(int64_t width, std::string_view what) {
  const std::string reason = fmt::format("{} of width {}", what, width);
  switch (width) {
    case 768: return {Family::sd1, reason};
    case 1024: return {Family::sd2, reason};
    case 2048: return {Family::sdxl_base, reason};
    case 1280: return {Family::sdxl_refiner, reason};
    default: return {Family::unknown, reason};
  }
}

// The matrices that see the text, each with its inputs last: whole ones, and the first factor of adapters.
int64_t context_width(const WeightMap& weights) {
  for (const auto& [name, source] : weights.sources()) {
    const bool listens =
        contains_any(name, {"attn2.to_k", "attn2_to_k", "attn2.to_v", "attn2_to_v", "to_k_ip", "to_v_ip"});
    const bool inputs_last =
        ends_with_any(name, {"to_k.weight", "to_v.weight", "to_k_ip.weight", "to_v_ip.weight",
                             "lora_down.weight", "lora_A.weight", "lora.down.weight", "_lora.down.weight",
                             "lora_A.default.weight", "hada_w1_b", ".diff"});
    const auto shape = weights.shape(name);
    if (listens && inputs_last && shape && shape->rank() >= 2) return (*shape)[1];
  }
  return 0;
}

PartFamily of_adapter(const WeightMap& weights) {
  const bool second = std::ranges::any_of(weights.sources(), [](const auto& entry) {
    return contains_any(entry.first, {"lora_te2_", "text_encoder_2."});
  });
  if (second) return {Family::sdxl_base, "it changes a second text encoder"};
  if (const int64_t width = context_width(weights)) return by_context(width, "listens to text");
  return {Family::unknown, "no attention to text in it says"};
}

// Vectors for one encoder or for both.
PartFamily of_words(const WeightMap& weights) {
  if (weights.has("clip_g")) return {Family::sdxl_base, "vectors for a second text encoder"};
  std::set<int64_t> widths;
  for (const auto& [name, source] : weights.sources()) {
    if (name.starts_with("string_to_token.")) continue;
    if (const auto shape = weights.shape(name); shape && shape->rank() >= 1) widths.insert((*shape)[-1]);
  }
  if (widths.size() != 1) return {Family::unknown, "vectors of several widths"};
  if (*widths.begin() == 1280) return {Family::sdxl_base, "vectors of width 1280"};
  return by_context(*widths.begin(), "vectors");
}

}  // namespace

PartFamily family_of_part(const Component& component) {
  const std::string& kind = component.kind;
  if (kind == "lora") return of_adapter(component.weights);
  if (kind == "textual_inversion") return of_words(component.weights);
  if (kind == "controlnet" || kind == "control_lora" || kind == "ip_adapter") {
    if (component.weights.has_below("add_embedding")) return {Family::sdxl_base, "an added embedding"};
    const int64_t width = context_width(component.weights);
    if (width > 0) return by_context(width, "listens to text");
  }
  return {Family::unknown, "this kind of file does not say"};
}

}  // namespace maquette::weights
