// Inside adapters/: the merged value of one parameter.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kernels/weight_source.h"
#include "models/adapters/adapter.h"

namespace maquette::models {

// What one module does to one parameter.
struct Contribution {
  std::shared_ptr<const AdapterModule> module;
  bool bias = false;     // the module's change of the bias, not of the weight
  int64_t channels = 0;  // applies to the first input channels only; 0: to all
  float strength = 1;

  bool operator==(const Contribution&) const = default;
};

// Why the module's weight change does not fit a weight of this shape, its magnitudes included; nothing where
// it does.
std::optional<Misfit> misfit_of(const AdapterModule& module, const Shape& weight);

// Whether all of them together are one product of low rank, as plain LoRAs are.
bool are_product(std::span<const Contribution> contributions);
// The merged value of such, as of merge_into, computed whenever it is packed; `original` is read then.
kernels::WeightSource merged_when_packed(const Tensor& original, std::vector<Contribution> contributions,
                                         DType type);
// original + sum of strength (f(original) - original), into out (f32 or bf16, same shape, memory of its own).
void merge_into(const Tensor& original, std::span<const Contribution> contributions, Tensor& out);

}  // namespace maquette::models
