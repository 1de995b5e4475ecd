// Parameters: every weight of a network by its canonical name, so that adapters (and later training) can read
// and replace them without knowing the network's structure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace maquette::nn {

struct Parameter {
  Shape shape;                        // as published: [out, in], [out, in, kh, kw] or [channels]
  std::function<Tensor()> read;       // any floating-point type; not to be written to
  std::function<void(Tensor)> write;  // same shape; takes effect from the next forward pass
  std::function<void()> forget = {};  // frees what was packed for the kernels; empty where nothing is packed
};

class Parameters {
 public:
  void add(std::string name, Parameter parameter) { entries_.emplace(std::move(name), std::move(parameter)); }
  const Parameter* find(std::string_view name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
  }
  // Frees the packed weights of a network that is not needed for a while; the next forward pass packs them
  // anew. Not while the network runs.
  void forget_packed() const {
    for (const auto& [name, parameter] : entries_) {
      if (parameter.forget) parameter.forget();
    }
  }
  const std::map<std::string, Parameter, std::less<>>& all() const { return entries_; }

 private:
  std::map<std::string, Parameter, std::less<>> entries_;
};

}  // namespace maquette::nn
