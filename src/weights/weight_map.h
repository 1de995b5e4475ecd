// WeightMap: the tensors of one network under the names that this program uses (those of diffusers and
// transformers), each pointing at a tensor of some file and at what must be done to it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "weights/weight_file.h"

namespace maquette::weights {

enum class Transform : uint8_t {
  none,
  rows,       // one of `parts` equal parts of the outermost dimension (q, k, v out of OpenCLIP's in_proj)
  transpose,  // of a matrix (OpenCLIP's text_projection)
  drop_ones   // trailing sizes of 1 beyond the second dimension (a 1x1 convolution used as a linear layer)
};

struct WeightSource {
  SharedWeightFile file;
  std::string name;  // in the file
  Transform transform = Transform::none;
  int part = 0;
  int parts = 1;
};

class WeightMap {
 public:
  // False where the canonical name is there already.
  bool add(std::string name, WeightSource source) {
    return sources_.emplace(std::move(name), std::move(source)).second;
  }

  const WeightSource* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool has_below(std::string_view prefix) const;  // any name that starts with prefix + "."
  // The number of consecutive indices n for which names below prefix + "." + n exist.
  int count(std::string_view prefix) const;

  // The shape after the transform, without reading the tensor; nothing for an unknown name.
  std::optional<Shape> shape(std::string_view name) const;
  // The tensor in the stored type (see WeightFile::read). Throws Error(weights) for an unknown name or one
  // whose shape the transform does not fit, and the file's Error where it is damaged.
  Tensor read(std::string_view name) const;

  const std::map<std::string, WeightSource, std::less<>>& sources() const { return sources_; }
  size_t size() const { return sources_.size(); }
  bool empty() const { return sources_.empty(); }

 private:
  std::map<std::string, WeightSource, std::less<>> sources_;
};

}  // namespace maquette::weights
