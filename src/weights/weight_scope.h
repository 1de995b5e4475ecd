// WeightScope: a view of a WeightMap below some prefix, for loading networks:
//
//   ResBlock load_res_block(const WeightScope& w) { return {.norm1 = load_group_norm(w / "norm1"), ...}; }
//
// It remembers which tensors were taken, so that those that nobody asked for can be reported. Scopes are
// cheap to copy; the map must outlive them. Not for use from several threads at once.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "weights/weight_map.h"

namespace maquette::weights {

class WeightScope {
 public:
  explicit WeightScope(const WeightMap& map) : map_(&map), used_(std::make_shared<std::set<std::string>>()) {}

  // The scope of the names below "prefix.name"; there need not be any.
  WeightScope operator/(std::string_view name) const;
  const std::string& prefix() const { return prefix_; }  // full canonical name of this scope
  std::string full_name(std::string_view name) const;    // "prefix.name"
  std::string source_name(std::string_view name) const;  // in the file; empty where there is no such tensor
  std::string where(std::string_view name) const;        // "SOURCE NAME of FILE", for messages

  bool has(std::string_view name) const;        // a tensor of exactly this name
  bool has_scope(std::string_view name) const;  // any tensor below this name
  int count(std::string_view name) const;       // consecutive indices: resnets.0, resnets.1, ...
  std::vector<std::string> children() const;    // next parts of the names below, sorted, each once
  std::optional<Shape> shape(std::string_view name) const;  // does not count as use

  // The tensor as stored (f32, f16, bf16, integers); over mapped memory: not to be written to. Throws
  // Error(weights) naming the tensor, the file and both shapes.
  Tensor get(std::string_view name) const;
  Tensor get(std::string_view name, const Shape& expected) const;
  std::optional<Tensor> find(std::string_view name) const;  // nothing where it is absent

  // Tells the system that the tensor's mapped pages are not needed any more (after packing or converting it).
  void release(std::string_view name) const;
  // Counts a tensor as used without reading it (buffers that are computed instead).
  void mark_used(std::string_view name) const { used_->insert(full_name(name)); }
  // The canonical names below this scope that nobody has taken.
  std::vector<std::string> unused() const;

 private:
  const WeightMap* map_;
  std::string prefix_;
  std::shared_ptr<std::set<std::string>> used_;
};

}  // namespace maquette::weights
