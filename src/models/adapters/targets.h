// AdapterTargets: which layer of a model an adapter's module means. The map is built from the model's own
// names, each flattened ("a.0.b" -> "a_0_b"), for underscores in kohya's keys cannot be split again; UNet
// blocks go by their names in the original layout (input_blocks_4_1_...) as well.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "nn/parameters.h"

namespace maquette::models {

// The parameters of a model by component: "unet", "text_encoder", "text_encoder_2".
using Components = std::map<std::string, nn::Parameters>;

struct AdapterTarget {
  std::string component;  // empty: there is no such layer
  std::string layer;      // "down_blocks.0.attentions.0.proj_in"

  explicit operator bool() const { return !component.empty(); }
};

class AdapterTargets {
 public:
  explicit AdapterTargets(const Components& components);

  // By the module's name in the file, with any published prefix (lora_unet_, lora_te1_, unet.,
  // base_model.model., ...) or none.
  AdapterTarget find(std::string_view module) const;

 private:
  using Layers = std::map<std::string, std::string, std::less<>>;  // flattened name -> layer
  AdapterTarget find_in(std::string_view component, std::string_view flat) const;

  std::map<std::string, Layers, std::less<>> layers_;
};

}  // namespace maquette::models
