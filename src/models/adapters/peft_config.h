// PEFT's configuration: what an adapter's tensors are scaled by where the file has no alpha of its own. It
// lies in the file's metadata (diffusers) or in adapter_config.json beside the file (PEFT).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace maquette::models {

class PeftConfig {
 public:
  PeftConfig() = default;
  // The fields of one or of several networks, these with the network's name in front ("unet.lora_alpha").
  // Fields of wrong types are refused, unknown ones ignored.
  static Result<PeftConfig> from_json(const Json& json);

  struct Scale {
    std::optional<double> alpha;
    std::optional<double> rank;
    bool root_of_rank = false;
  };
  // What is said about a module, by its name in the file ("unet.mid_block....to_q").
  Scale scale_of(std::string_view module) const;

 private:
  using Patterns = std::vector<std::pair<std::string, double>>;  // for modules whose names end so
  struct Network {
    Scale common;
    Patterns alphas, ranks;
  };
  std::map<std::string, Network, std::less<>>
      networks_;  // by "unet.", "text_encoder.", ...; "" without a name
};

}  // namespace maquette::models
