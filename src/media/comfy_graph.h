// The nodes and wires of a ComfyUI graph, read from text that cannot be trusted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace maquette::media {

class ComfyGraph {
 public:
  struct Node {
    std::string id;
    std::string kind;  // class_type
    const Json* inputs = nullptr;
  };

  static Result<ComfyGraph> parse(std::string_view json);
  ComfyGraph(ComfyGraph&&) = default;
  ComfyGraph& operator=(ComfyGraph&&) = default;

  const std::vector<Node>& nodes() const { return nodes_; }  // in the order of the text

  // The node at the other end of an input's wire; nothing where the input is missing or a value.
  const Node* wired(const Node& node, std::string_view input) const;
  // Values that stand in the node, or one wire away in a node that only holds a value (a "primitive").
  std::optional<double> number(const Node& node, std::string_view input) const;
  std::optional<uint64_t> whole(const Node& node, std::string_view input) const;
  std::optional<std::string> text(const Node& node, std::string_view input) const;

 private:
  ComfyGraph() = default;
  const Json* value(const Node& node, std::string_view input, int wires) const;
  const Node* find(std::string_view id) const;

  std::unique_ptr<Json> document_;
  std::vector<Node> nodes_;
  std::map<std::string, size_t, std::less<>> by_id_;
};

}  // namespace maquette::media
