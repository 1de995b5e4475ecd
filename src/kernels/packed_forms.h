// The packed forms of one layer's weights: made on first use, one for each implementation and element type.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "tensor/tensor.h"

namespace maquette::kernels {

// Weights in the order that one implementation wants.
struct PackedWeights {
  virtual ~PackedWeights() = default;
  // Where they lie, if in one piece: the form of other weights for the same problem may be made in it.
  virtual Tensor storage() const { return {}; }
};

// Safe to use from several threads; what changes the weights must not run at the same time as what uses them.
template <typename Implementation, typename Packed>
class PackedForms {
 public:
  // The form, made by `make(memory)` where there is none. `memory` is that of the form before the weights
  // were changed, or undefined: the system takes longer to clear fresh memory than packing takes.
  template <typename Make>
  const Packed& get(const Implementation& implementation, DType type, const Make& make) {
    const std::lock_guard lock(mutex_);
    Tensor memory;
    for (const Form& form : forms_) {
      if (form.implementation != &implementation || form.type != type) continue;
      if (!form.outdated) return *form.packed;
      memory = form.packed->storage();
    }
    std::erase_if(forms_, [](const Form& form) { return form.outdated; });
    forms_.push_back({&implementation, type, make(std::move(memory))});
    return *forms_.back().packed;
  }
  // The weights are others now: forms are made again when they are needed.
  void outdate() {
    const std::lock_guard lock(mutex_);
    for (Form& form : forms_) form.outdated = true;
  }

 private:
  struct Form {
    const Implementation* implementation;
    DType type;
    std::unique_ptr<Packed> packed;
    bool outdated = false;
  };
  std::mutex mutex_;
  std::vector<Form> forms_;
};

}  // namespace maquette::kernels
