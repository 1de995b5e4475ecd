#include "models/adapters/targets.h"

#include <array>

#include "models/adapters/adapter_keys.h"
#include "weights/layouts/layouts.h"

namespace maquette::models {

namespace {

constexpr std::string_view kTextModel = "text_model_";

// What stands before a layer's name, flattened; any number of them, in any order. Those with a component
// decide it.
struct Prefix {
  std::string_view text;
  std::string_view component;
};
constexpr std::array<Prefix, 16> kPrefixes = {{{"lora_", ""},
                                               {"lycoris_", ""},
                                               {"oft_", ""},
                                               {"base_model_model_", ""},
                                               {"model_diffusion_model_", "unet"},
                                               {"diffusion_model_", "unet"},
                                               {"unet_", "unet"},
                                               {"text_encoder_2_", "text_encoder_2"},
                                               {"text_encoders_", ""},
                                               {"text_encoder_", "text_encoder"},
                                               {"te1_", "text_encoder"},
                                               {"te2_", "text_encoder_2"},
                                               {"te_", "text_encoder"},
                                               {"clip_l_", "text_encoder"},
                                               {"clip_g_", "text_encoder_2"},
                                               {"transformer_", ""}}};

// "a.b.weight" -> "a.b"; empty for other names.
std::string_view layer_of(std::string_view parameter) {
  for (const std::string_view kind : {".weight", ".bias"}) {
    if (parameter.ends_with(kind)) return parameter.substr(0, parameter.size() - kind.size());
  }
  return {};
}

}  // namespace

AdapterTargets::AdapterTargets(const Components& components) {
  for (const auto& [component, parameters] : components) {
    Layers& layers = layers_[component];
    weights::NameSet names;
    for (const auto& [name, parameter] : parameters.all()) {
      names.insert(name);
      const std::string_view layer = layer_of(name);
      if (layer.empty()) continue;
      const std::string flat = flattened(layer);
      layers.emplace(flat, layer);
      // Text encoders are written with and without this level.
      if (flat.starts_with(kTextModel)) {
        layers.emplace(flat.substr(kTextModel.size()), layer);
      } else if (component != "unet") {
        layers.emplace(std::string(kTextModel) + flat, layer);
      }
    }
    if (component != "unet") continue;
    for (const weights::Renamed& renamed : weights::unet_to_ldm(names)) {
      const std::string_view layer = layer_of(renamed.from);
      const std::string_view original = layer_of(renamed.to);
      if (!layer.empty() && !original.empty()) layers.emplace(flattened(original), layer);
    }
  }
}

AdapterTarget AdapterTargets::find_in(std::string_view component, std::string_view flat) const {
  const auto layers = layers_.find(component);
  if (layers == layers_.end()) return {};
  const auto found = layers->second.find(flat);
  if (found == layers->second.end()) return {};
  return {.component = std::string(component), .layer = found->second};
}

AdapterTarget AdapterTargets::find(std::string_view module) const {
  const std::string flat = flattened(module);
  std::string_view rest = flat;
  std::string_view component;
  for (bool again = true; again;) {
    again = false;
    for (const Prefix& prefix : kPrefixes) {
      if (!rest.starts_with(prefix.text)) continue;
      rest.remove_prefix(prefix.text.size());
      if (!prefix.component.empty()) component = prefix.component;
      again = true;
    }
  }
  if (!component.empty()) {
    const AdapterTarget target = find_in(component, rest);
    // A model whose only text encoder is the second one (SDXL's refiner) goes by "te" too.
    if (target || component != "text_encoder" || layers_.contains("text_encoder")) return target;
    return find_in("text_encoder_2", rest);
  }
  for (const std::string_view any : {"unet", "text_encoder", "text_encoder_2"}) {
    if (const AdapterTarget target = find_in(any, rest)) return target;
  }
  return {};
}

}  // namespace maquette::models
