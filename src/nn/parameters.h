// Parameters: every weight of a network by its canonical name, so that adapters (and later training) can read
// and replace them without knowing the network's structure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "kernels/weight_source.h"

namespace maquette::nn {

struct Parameter {
  Shape shape;                   // as published: [out, in], [out, in, kh, kw] or [channels]
  std::function<Tensor()> read;  // any floating-point type; not to be written to
  // Same shape; takes effect from the next forward pass. What is computed is computed when it is packed.
  std::function<void(kernels::WeightSource)> write;
};

class Parameters {
 public:
  void add(std::string name, Parameter parameter) { entries_.emplace(std::move(name), std::move(parameter)); }
  const Parameter* find(std::string_view name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
  }
  const std::map<std::string, Parameter, std::less<>>& all() const { return entries_; }

 private:
  std::map<std::string, Parameter, std::less<>> entries_;
};

}  // namespace maquette::nn
