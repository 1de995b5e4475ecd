// AdapterStack: which adapters a model wears, and the way from any set of them to any other without reading
// the model again. It remembers the original of every weight it changes, and touches only weights for which
// something changes.
#pragma once

#include <span>

#include "models/adapters/adapter.h"
#include "models/adapters/targets.h"

namespace maquette::models {

struct AdapterUse {
  SharedAdapter adapter;
  double unet_weight = 1;
  double text_weight = 1;  // of all text encoders
};

// How an adapter's modules met the model.
struct AdapterReport {
  std::string adapter;               // its name
  std::string kinds;                 // "LoRA"
  std::vector<std::string> matched;  // modules, by their keys in the file
  struct Unmatched {
    std::string key;
    std::string reason;  // "the model has no such layer", "it is for a layer of another size", ...
    std::string found;   // where sizes differ
    std::string expected;
  };
  std::vector<Unmatched> unmatched;  // not applied, wholly or in part
  std::string hint;                  // which family the adapter was made for, where that shows

  // "castle: LoRA, 264 modules" or "castle: LoRA, 252 modules, 12 unmatched: lora_te2_..., ..."
  std::string text() const;
};

// Throws Error(weights) naming the first of the unmatched where there are any.
void require_matched(const AdapterReport& report);

struct MergeOptions {
  // What the UNet computes in. Merged weights are kept in this type: bf16 where the network rounds its
  // weights to bf16 anyway, so that nothing is lost, and f32 otherwise. Text encoders always compute in f32.
  DType unet_type = DType::f32;
};

struct MergeCounts {
  int merged = 0;     // weights (or biases) computed anew
  int restored = 0;   // back to the model's own
  int unchanged = 0;  // changed before and still right
};

class AdapterStack {
 public:
  // The components must outlive the stack, and nobody else may write to them. The stack's end restores
  // nothing.
  explicit AdapterStack(const Components& components);
  ~AdapterStack();
  AdapterStack(AdapterStack&&) noexcept;
  AdapterStack& operator=(AdapterStack&&) noexcept;

  AdapterReport match(const SharedAdapter& adapter);
  // Brings the model to wear exactly these; an adapter may be there twice. Every difference is computed from
  // the model's own weight W, so the order does not matter:
  //   W' = W + sum of strength_i (f_i(W) - W)
  // Modules that do not match are left out (see match). Where it throws (no memory), some weights are at the
  // new state and some at the old; the next call goes on from there.
  MergeCounts set(std::span<const AdapterUse> uses, const MergeOptions& options = {});
  // How many parameters differ from the model's own.
  size_t changed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace maquette::models
