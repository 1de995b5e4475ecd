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
  // How many numbered children there are: scope.count("resnets") where resnets.0, resnets.1 exist. Throws
  // Error(weights) beyond what any network has.
  int count(std::string_view name) const;
  // The tensor as published; throws Error(weights) naming it in the file where it is missing.
  Tensor get(std::string_view name) const { return weights_.get(name); }
  // Its shape, without reading it; throws likewise.
  Shape shape(std::string_view name) const;
  std::string full_name(std::string_view name) const { return weights_.full_name(name); }
  Parameters& parameters() const { return *parameters_; }

  // A small tensor of its own in f32 (position embeddings, tokens), registered: writing to it changes the
  // layer. The caller checks its shape.
  Tensor vector(std::string_view name) const;
  // The same for a bias or a norm: one number for each of `width` channels. Throws Error(weights) for another
  // number of elements; 0: any number but none.
  Tensor vector(std::string_view name, int64_t width) const;

  // Throws Error(weights) that names the tensor and its file.
  [[noreturn]] void refuse(std::string_view name, const Shape& found, std::string_view expected) const;

 private:
  weights::WeightScope weights_;
  Parameters* parameters_;
};

}  // namespace maquette::nn
