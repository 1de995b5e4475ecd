#include "media/comfy_graph.h"

#include <algorithm>
#include <cmath>

namespace maquette::media {

namespace {

constexpr size_t kMaxText = size_t{4} << 20;
constexpr size_t kMaxNodes = 2'000;
constexpr size_t kMaxInputs = 256;
constexpr size_t kMaxMembers = 4'096;  // of any object or list
constexpr size_t kMaxLevels = 64;
constexpr int kMaxWires = 3;  // every node on the way may have a dozen wires to try
constexpr size_t kMaxString = size_t{1} << 20;

// What nodes that hold one value call it.
constexpr std::string_view kValueInputs[] = {"value", "text",  "string",     "Text",  "String", "seed",
                                             "int",   "float", "noise_seed", "Value", "number", "prompt"};

bool is_wire(const Json& value) {
  return value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_number_integer();
}

// Whether some object or list has more than kMaxMembers. Looking a member up takes time in proportion to
// their number, and reading an object its square.
bool is_crowded(std::string_view json) {
  std::vector<size_t> commas = {0};
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if ((c == '{' || c == '[') && commas.size() <= kMaxLevels) {
      commas.push_back(0);
    } else if ((c == '}' || c == ']') && commas.size() > 1) {
      commas.pop_back();
    } else if (c == ',' && ++commas.back() >= kMaxMembers) {
      return true;
    }
  }
  return false;
}

Error bad_graph(std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the ComfyUI graph").with("found", found);
}

}  // namespace

Result<ComfyGraph> ComfyGraph::parse(std::string_view json) {
  if (json.size() > kMaxText) return bad_graph(fmt::format("{} bytes", json.size()));
  if (is_crowded(json)) return bad_graph(fmt::format("a list of more than {} members", kMaxMembers));
  Result<Json> document = parse_json(json, "the ComfyUI graph");
  if (!document) return document.error();
  if (!document->is_object()) return bad_graph("something else than an object of nodes");
  if (document->size() > kMaxNodes) return bad_graph(fmt::format("{} nodes", document->size()));
  ComfyGraph graph;
  graph.document_ = std::make_unique<Json>(std::move(*document));
  for (const auto& [id, node] : graph.document_->items()) {
    if (!node.is_object()) continue;
    const auto kind = node.find("class_type");
    const auto inputs = node.find("inputs");
    if (kind == node.end() || !kind->is_string() || inputs == node.end() || !inputs->is_object()) continue;
    if (inputs->size() > kMaxInputs) return bad_graph(fmt::format("a node of {} inputs", inputs->size()));
    graph.nodes_.push_back({id, kind->get<std::string>(), &*inputs});
  }
  for (size_t i = 0; i < graph.nodes_.size(); ++i) graph.by_id_.emplace(graph.nodes_[i].id, i);
  return graph;
}

const ComfyGraph::Node* ComfyGraph::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &nodes_[found->second];
}

const ComfyGraph::Node* ComfyGraph::wired(const Node& node, std::string_view input) const {
  const auto found = node.inputs->find(std::string(input));
  if (found == node.inputs->end() || !is_wire(*found)) return nullptr;
  return find((*found)[0].get_ref<const std::string&>());
}

const Json* ComfyGraph::value(const Node& node, std::string_view input, int wires) const {
  const auto found = node.inputs->find(std::string(input));
  if (found == node.inputs->end()) return nullptr;
  if (!is_wire(*found)) return &*found;
  const Node* source = wired(node, input);
  if (source == nullptr || wires == 0) return nullptr;
  const Json* only = nullptr;
  for (const std::string_view name : kValueInputs) {
    if (const Json* held = value(*source, name, wires - 1); held && held->is_primitive()) {
      if (only == nullptr) only = held;
    }
  }
  return only;
}

std::optional<double> ComfyGraph::number(const Node& node, std::string_view input) const {
  const Json* found = value(node, input, kMaxWires);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  const double number = found->get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::optional<uint64_t> ComfyGraph::whole(const Node& node, std::string_view input) const {
  const Json* found = value(node, input, kMaxWires);
  if (found == nullptr) return std::nullopt;
  if (found->is_number_unsigned()) return found->get<uint64_t>();
  if (!found->is_number_integer() || found->get<int64_t>() < 0) return std::nullopt;
  return found->get<uint64_t>();
}

std::optional<std::string> ComfyGraph::text(const Node& node, std::string_view input) const {
  const Json* found = value(node, input, kMaxWires);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  const auto& text = found->get_ref<const std::string&>();
  return text.size() <= kMaxString ? std::optional(text) : std::nullopt;
}

}  // namespace maquette::media
