// Scope: where a layer finds its weights while a network is loaded, and where it registers them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nn/parameters.h"
#include "weights/weight_scope.h"

namespace maquette::nn {

class Scope {
 public:
  Scope(weights::WeightScope weights, Parameters& parameters)
      : weights_(std::move(weights)), parameters_(&parameters) {}

  // The part of the network below `name`: scope / "down_blocks.0" / "resnets.1".
  Scope operator/(std::string_view name) const { return {weights_ / name, *parameters_}; }

  bool has(std::string_view name) const { return weights_.has(name); }
  // How many numbered children there are: scope.count("resnets") where resnets.0, resnets.1 exist.
  int count(std::string_view name) const { return weights_.count(name); }
  // The tensor as published; throws Error(weights) naming it in the file where it is missing.
  Tensor get(std::string_view name) const { return weights_.get(name); }
  std::string full_name(std::string_view name) const { return weights_.full_name(name); }
  Parameters& parameters() const { return *parameters_; }

  // A small tensor of its own in f32 (biases, norms), registered: writing to it changes the layer.
  Tensor vector(std::string_view name) const;

 private:
  weights::WeightScope weights_;
  Parameters* parameters_;
};

}  // namespace maquette::nn
