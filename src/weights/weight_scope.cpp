#include "weights/weight_scope.h"

#include "base/text.h"

namespace maquette::weights {

WeightScope WeightScope::operator/(std::string_view name) const {
  WeightScope below = *this;
  below.prefix_ = full_name(name);
  return below;
}

std::string WeightScope::full_name(std::string_view name) const {
  if (prefix_.empty()) return std::string(name);
  return name.empty() ? prefix_ : fmt::format("{}.{}", prefix_, name);
}

std::string WeightScope::source_name(std::string_view name) const {
  const WeightSource* source = map_->find(full_name(name));
  return source ? source->name : "";
}

std::string WeightScope::where(std::string_view name) const {
  const WeightSource* source = map_->find(full_name(name));
  if (!source) return full_name(name);
  return fmt::format("\"{}\" of \"{}\"", printable(source->name), source->file->path().string());
}

bool WeightScope::has(std::string_view name) const { return map_->has(full_name(name)); }

bool WeightScope::has_scope(std::string_view name) const { return map_->has_below(full_name(name)); }

int WeightScope::count(std::string_view name) const { return map_->count(full_name(name)); }

std::vector<std::string> WeightScope::children() const {
  const std::string start = prefix_.empty() ? "" : prefix_ + ".";
  std::vector<std::string> parts;
  for (auto it = map_->sources().lower_bound(start);
       it != map_->sources().end() && it->first.starts_with(start); ++it) {
    const std::string part = it->first.substr(start.size(), it->first.find('.', start.size()) - start.size());
    if (parts.empty() || parts.back() != part) parts.push_back(part);
  }
  return parts;
}

std::optional<Shape> WeightScope::shape(std::string_view name) const { return map_->shape(full_name(name)); }

Tensor WeightScope::get(std::string_view name) const {
  const std::string full = full_name(name);
  if (!map_->has(full)) {
    Error error(ErrorCode::weights, "a tensor is missing from the weights");
    error.with("tensor", full);
    if (!map_->empty()) error.with("file", map_->sources().begin()->second.file->path().string());
    std::vector<std::string> candidates;
    for (const auto& [candidate, source] : map_->sources()) candidates.push_back(candidate);
    if (const auto near = did_you_mean(full, candidates)) error.hint("there is \"{}\"", *near);
    throw error;
  }
  used_->insert(full);
  return map_->read(full);
}

Tensor WeightScope::get(std::string_view name, const Shape& expected) const {
  Tensor tensor = get(name);
  if (!(tensor.shape() == expected)) {
    throw Error(ErrorCode::weights, "a tensor of the weights has another shape than its network")
        .with("tensor", full_name(name))
        .with("where", where(name))
        .with("found", tensor.shape().text())
        .with("expected", expected.text());
  }
  return tensor;
}

std::optional<Tensor> WeightScope::find(std::string_view name) const {
  if (!has(name)) return std::nullopt;
  return get(name);
}

void WeightScope::release(std::string_view name) const {
  if (const WeightSource* source = map_->find(full_name(name))) source->file->release(source->name);
}

std::vector<std::string> WeightScope::unused() const {
  std::vector<std::string> names;
  const std::string start = prefix_.empty() ? "" : prefix_ + ".";
  for (const auto& [name, source] : map_->sources()) {
    if (name.starts_with(start) && !used_->contains(name)) names.push_back(name);
  }
  return names;
}

}  // namespace maquette::weights
