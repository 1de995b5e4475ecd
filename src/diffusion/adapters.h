// What a recipe hangs on a loaded model: LoRAs and their relatives on its weights, textual inversions on its
// words.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/recipe.h"
#include "diffusion/model.h"

namespace maquette::diffusion {

// What is worn at the moment, kept between jobs so that only what changes costs time. One for each place that
// holds a model; it notices by itself when the model is another one.
class AdapterCache {
 public:
  AdapterCache();
  ~AdapterCache();
  AdapterCache(AdapterCache&&) noexcept;
  AdapterCache& operator=(AdapterCache&&) noexcept;

  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// Brings the model to wear the recipe's loras and embeddings, and nothing else. `activations` is what the
// UNet will compute in. Returns a line for each file ("castle: LoRA, 264 modules"). Throws Error(not_found,
// bad_file, weights): where a file cannot be read, or parts of it match nothing and the recipe does not allow
// that; the model is then as it was before.
std::vector<std::string> apply_adapters(Model& model, const Recipe& recipe, DType activations,
                                        AdapterCache& cache);

}  // namespace maquette::diffusion
