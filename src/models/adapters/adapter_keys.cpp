// A key is MODULE.MARK, and behind the mark there may be the adapter's own name (PEFT's training states) and
// "weight" or "bias":
//
//   kohya, LyCORIS    lora_unet_..._to_q . lora_down . weight       ... . hada_w1_a       ... . diff
//   diffusers, PEFT   unet. ... .to_q . lora_A . default . weight
//   diffusers 2023    unet. ... .attn1.processor.to_q_lora . down . weight
//                     unet. ... .to_q.lora_linear_layer . down . weight     (also .lora . down . weight)
#include "models/adapters/adapter_keys.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace maquette::models {

namespace {

using Parts = std::vector<std::string>;

struct Mark {
  std::string_view part;
  std::string_view tensor;
  bool may_be_named = false;  // the adapter's name may follow
};

constexpr std::array<Mark, 37> kMarks = {{{"lora_up", "lora_up"},
                                          {"lora_down", "lora_down"},
                                          {"lora_mid", "lora_mid"},
                                          {"lora_A", "lora_down", true},
                                          {"lora_B", "lora_up", true},
                                          {"lora_magnitude_vector", "magnitude", true},
                                          {"hada_w1_a", "hada_w1_a", true},
                                          {"hada_w1_b", "hada_w1_b", true},
                                          {"hada_w2_a", "hada_w2_a", true},
                                          {"hada_w2_b", "hada_w2_b", true},
                                          {"hada_t1", "hada_t1", true},
                                          {"hada_t2", "hada_t2", true},
                                          {"lokr_w1", "lokr_w1", true},
                                          {"lokr_w1_a", "lokr_w1_a", true},
                                          {"lokr_w1_b", "lokr_w1_b", true},
                                          {"lokr_w2", "lokr_w2", true},
                                          {"lokr_w2_a", "lokr_w2_a", true},
                                          {"lokr_w2_b", "lokr_w2_b", true},
                                          {"lokr_t2", "lokr_t2", true},
                                          {"a1", "a1"},
                                          {"a2", "a2"},
                                          {"b1", "b1"},
                                          {"b2", "b2"},
                                          {"ia3_l", "ia3_l", true},
                                          {"on_input", "on_input"},
                                          {"diff", "diff"},
                                          {"diff_b", "diff_b"},
                                          {"w_norm", "w_norm"},
                                          {"b_norm", "b_norm"},
                                          {"oft_blocks", "oft_blocks"},
                                          {"rescale", "rescale"},
                                          {"alpha", "alpha"},
                                          {"dora_scale", "dora_scale"},
                                          // Behind "lora", "lora_linear_layer" or "..._lora" only.
                                          {"up", "lora_up"},
                                          {"down", "lora_down"},
                                          {"mid", "lora_mid"},
                                          {"", ""}}};

const Mark* mark_of(std::string_view part) {
  const auto found = std::ranges::find(kMarks, part, &Mark::part);
  return found == kMarks.end() || part.empty() ? nullptr : &*found;
}

// The attention processors of 2023 named the text encoders' projections as the UNet's.
std::string layer_name(std::string_view layer, const Parts& module) {
  const bool text = !module.empty() && module.back() == "self_attn";
  if (layer == "to_out") return text ? "out_proj" : "to_out.0";
  if (text && layer.size() == 4 && layer.starts_with("to_")) return fmt::format("{}_proj", layer.substr(3));
  return std::string(layer);
}

// Takes the wrapper of a diffusers LoRA layer off the module's end; false where there is none.
bool take_wrapper(Parts& module) {
  constexpr std::string_view kSuffix = "_lora";
  if (module.empty()) return false;
  if (module.back() == "lora" || module.back() == "lora_linear_layer") {
    module.pop_back();
    return true;
  }
  if (!module.back().ends_with(kSuffix)) return false;
  const std::string layer = module.back().substr(0, module.back().size() - kSuffix.size());
  module.pop_back();
  if (!module.empty() && module.back() == "processor") module.pop_back();
  module.push_back(layer_name(layer, module));
  return true;
}

std::string joined(const Parts& parts) { return fmt::format("{}", fmt::join(parts, ".")); }

}  // namespace

std::string flattened(std::string_view name) {
  std::string flat(name);
  std::ranges::replace(flat, '.', '_');
  return flat;
}

std::optional<AdapterKey> split_adapter_key(std::string_view key) {
  Parts parts = split(key, '.');
  if (parts.size() < 2) return std::nullopt;

  // From the end: "weight" or "bias", then the mark, with the adapter's name behind it or not.
  std::string_view ending;
  if (parts.back() == "weight" || parts.back() == "bias") {
    ending = parts.back() == "weight" ? "weight" : "bias";
    parts.pop_back();
  }
  const Mark* mark = mark_of(parts.back());
  if (!mark && parts.size() > 1) {
    mark = mark_of(parts[parts.size() - 2]);
    if (mark && !mark->may_be_named) mark = nullptr;
    if (mark) parts.pop_back();
  }
  if (!mark) {
    if (ending != "weight") return std::nullopt;
    return AdapterKey{.module = joined(parts), .tensor = "weight"};
  }
  std::string tensor(mark->tensor);
  const bool needs_wrapper = mark->part == "up" || mark->part == "down" || mark->part == "mid";
  parts.pop_back();
  const bool wrapped = take_wrapper(parts);
  if (joined(parts).empty() || (needs_wrapper && !wrapped)) return std::nullopt;
  if (ending == "bias") {
    if (tensor != "lora_up") return std::nullopt;
    tensor = "lora_bias";
  }
  return AdapterKey{.module = joined(parts), .tensor = std::move(tensor)};
}

}  // namespace maquette::models
