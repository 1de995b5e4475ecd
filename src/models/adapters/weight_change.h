// WeightChange: what one module of an adapter does to the weight of one layer. Each family (LoRA, LoHa, LoKr,
// ...) is one implementation in a file of its own; families.cpp lists them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "models/adapters/dense.h"
#include "tensor/tensor.h"

namespace maquette::models {

// A weight as adapters see it: [out, in] with a window of kh kw taps for convolutions, window innermost.
struct WeightSides {
  int64_t out = 1;
  int64_t in = 1;
  int64_t window = 1;

  explicit WeightSides(const Shape& shape);
  int64_t columns() const { return in * window; }
};

// Why a change does not fit a weight.
struct Misfit {
  std::string found;     // "LoRA of 640 x 2048"
  std::string expected;  // "[320, 768]"
};

class WeightChange {
 public:
  virtual ~WeightChange() = default;
  virtual std::string_view kind() const = 0;  // "LoRA"
  // Nothing where the tensors fit together and are for a weight of this shape.
  virtual std::optional<Misfit> misfit(const Shape& weight) const = 0;
  // What is added to the weight at strength 1, in the weight's shape. weight is f32. Call only where misfit()
  // is nothing.
  virtual Tensor difference(const Tensor& weight) const = 0;
  // Whether the difference is a product that does not depend on the weight, and then its factors.
  virtual bool is_product() const { return false; }
  virtual std::optional<dense::Factors> factors(const Shape&) const { return std::nullopt; }
};

// The tensors of one module under the published suffixes without ".weight" ("lora_up", "hada_w1_a", ...), and
// what the file or its configuration says about the scale.
struct ModuleTensors {
  std::map<std::string, Tensor, std::less<>> tensors;
  std::optional<double> alpha;
  std::optional<double> configured_rank;  // where it came from a configuration together with alpha
  bool root_of_rank = false;  // scale alpha / sqrt(rank) instead of alpha / rank (rank-stabilised LoRA)

  bool has(std::string_view name) const { return tensors.contains(name); }
  Tensor get(std::string_view name) const;  // undefined where there is none
  // alpha / rank; 1 where alpha is missing, and where it is zero (trainers write 0 for "as the rank").
  double scale(int64_t rank) const;
};

// One family: how it is recognised, which tensors it takes, and how a change is made of them. `make` throws
// Error(weights) where tensors are missing or have shapes that no weight could have.
struct AdapterFamily {
  std::string_view name;
  std::span<const std::string_view> marks;    // any of them says that the module is of this family
  std::span<const std::string_view> tensors;  // all that it knows
  std::unique_ptr<WeightChange> (*make)(const ModuleTensors& module);
};

std::unique_ptr<WeightChange> make_lora(const ModuleTensors& module);
std::unique_ptr<WeightChange> make_loha(const ModuleTensors& module);
std::unique_ptr<WeightChange> make_lokr(const ModuleTensors& module);
std::unique_ptr<WeightChange> make_glora(const ModuleTensors& module);
std::unique_ptr<WeightChange> make_ia3(const ModuleTensors& module);
std::unique_ptr<WeightChange> make_peft_ia3(const ModuleTensors& module);
std::unique_ptr<WeightChange> make_full(const ModuleTensors& module);
std::unique_ptr<WeightChange> make_norm(const ModuleTensors& module);
std::unique_ptr<WeightChange> make_bias(Tensor difference);
std::unique_ptr<WeightChange> make_oft(const ModuleTensors& module);

std::span<const AdapterFamily> adapter_families();

// For the families: throws Error(weights) where `fits` is false.
void require_tensors(bool fits, std::string_view kind, const ModuleTensors& module);

}  // namespace maquette::models
