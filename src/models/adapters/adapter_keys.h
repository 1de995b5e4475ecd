// Adapter keys: which module and which tensor a name in an adapter file stands for, in any of the published
// forms.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace maquette::models {

// "unet.mid_block.attentions.0....to_q.lora_A.default.weight" -> {"unet.mid_block.attentions.0....to_q",
// "lora_down"}.
struct AdapterKey {
  std::string module;  // as the file names it, without what only adapters have ("processor", "_lora")
  std::string
      tensor;  // under the name that the families use: "lora_down", "hada_w1_a", "alpha", "diff_b", ...
};

// Nothing where the name ends in nothing that an adapter has.
std::optional<AdapterKey> split_adapter_key(std::string_view key);

// Dots become underscores: "a.0.b" -> "a_0_b", the form of kohya's keys.
std::string flattened(std::string_view name);

}  // namespace maquette::models
