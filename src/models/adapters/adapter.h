// Adapter: a file that changes a model's weights (LoRA, LoHa, LoKr, DoRA, GLoRA, (IA)^3, OFT, full
// differences, norms), read into modules whatever its key form. What the modules mean for a model is
// AdapterStack's business.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "models/adapters/weight_change.h"
#include "weights/weight_file.h"

namespace maquette::models {

// DoRA (Liu et al. 2024): W' = m (W + dW) / |W + dW|, the norm taken over the inputs of each output, or the
// other way round.
struct Magnitude {
  enum class Axis { by_shape, outputs };  // by_shape: [out, 1, ...] or [1, in, ...]
  Tensor values;
  Axis axis = Axis::by_shape;
};

// What the file holds for one layer.
struct AdapterModule {
  std::string key;                       // the layer's name in the file
  std::unique_ptr<WeightChange> weight;  // null: only the bias
  std::optional<Magnitude> magnitude;
  std::unique_ptr<WeightChange> bias;  // of the layer's bias; null: nothing
  bool needs_bias = true;              // whether a layer without a bias counts as unmatched
};

struct Adapter {
  fs::path path;
  std::string name;                    // the file's stem, or its folder's where the file has a standard name
  std::vector<AdapterModule> modules;  // by key
  struct Unknown {
    std::string key;
    std::string reason;
  };
  std::vector<Unknown> unknown;  // tensors that belong to no form that is supported

  // "LoRA", or "LoRA, norm" where there are several.
  std::string kinds() const;
};
using SharedAdapter = std::shared_ptr<const Adapter>;

// Reads a file, or a folder that holds one under a standard name; PEFT's adapter_config.json beside it
// counts. Errors: not found, damaged, nothing in it that an adapter has, tensors of a module that do not go
// together.
Result<Adapter> read_adapter(const fs::path& path);
// The file that read_adapter() takes out of a folder; nothing where there is none.
std::optional<fs::path> adapter_file_in(const fs::path& folder);
// The same of a file that is open. `peft_config` is the content of adapter_config.json, or an empty object.
Result<Adapter> adapter_of(const weights::SharedWeightFile& file, const Json& peft_config = Json::object());

}  // namespace maquette::models
