#include "models/adapters/peft_config.h"

#include <cmath>

namespace maquette::models {

namespace {

constexpr size_t kMaxPatterns = 10'000;

Error wrong(const std::string& field, const Json& value) {
  std::string found = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (found.size() > 100) found = found.substr(0, 100) + "...";
  return Error(ErrorCode::weights, "cannot read the adapter's configuration")
      .with("field", field)
      .with("found", found);
}

std::optional<double> finite_number(const Json& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

// Whole parts of a dotted name: "to_q" ends "attn1.to_q", not "into_q".
bool ends_in(std::string_view module, std::string_view pattern) {
  if (pattern.starts_with('^')) return module == pattern.substr(1);
  if (!module.ends_with(pattern) || pattern.empty()) return false;
  return module.size() == pattern.size() || module[module.size() - pattern.size() - 1] == '.';
}

// {"attn1.to_q": 4, ...}; nothing where it is something else.
std::optional<std::vector<std::pair<std::string, double>>> patterns_of(const Json& value) {
  std::vector<std::pair<std::string, double>> patterns;
  if (!value.is_object() || value.size() > kMaxPatterns) return std::nullopt;
  for (const auto& [pattern, number] : value.items()) {
    const auto finite = finite_number(number);
    if (!finite) return std::nullopt;
    patterns.emplace_back(pattern, *finite);
  }
  return patterns;
}

std::optional<double> first_match(const std::vector<std::pair<std::string, double>>& patterns,
                                  std::string_view module) {
  for (const auto& [pattern, number] : patterns) {
    if (ends_in(module, pattern)) return number;
  }
  return std::nullopt;
}

}  // namespace

Result<PeftConfig> PeftConfig::from_json(const Json& json) {
  PeftConfig config;
  if (!json.is_object()) return wrong("", json);
  for (const auto& [key, value] : json.items()) {
    if (value.is_null()) continue;
    const size_t dot = key.find('.');
    const std::string prefix = dot == std::string::npos ? "" : key.substr(0, dot + 1);
    const std::string field = dot == std::string::npos ? key : key.substr(dot + 1);
    const bool number = field == "lora_alpha" || field == "alpha" || field == "r";  // "alpha": LoHa, LoKr
    const bool patterns = field == "alpha_pattern" || field == "rank_pattern";
    if (!number && !patterns && field != "use_rslora") continue;

    Network& network = config.networks_[prefix];
    if (number) {
      auto& target = field == "r" ? network.common.rank : network.common.alpha;
      target = finite_number(value);
      if (!target) return wrong(key, value);
    } else if (patterns) {
      auto found = patterns_of(value);
      if (!found) return wrong(key, value);
      (field == "alpha_pattern" ? network.alphas : network.ranks) = *std::move(found);
    } else {
      if (!value.is_boolean()) return wrong(key, value);
      network.common.root_of_rank = value.get<bool>();
    }
  }
  return config;
}

PeftConfig::Scale PeftConfig::scale_of(std::string_view module) const {
  constexpr std::string_view kWrapper = "base_model.model.";
  auto found = networks_.find("");
  for (auto network = networks_.begin(); network != networks_.end(); ++network) {
    if (!network->first.empty() && module.starts_with(network->first)) found = network;
  }
  if (found == networks_.end()) return {};
  const auto& [prefix, network] = *found;
  module.remove_prefix(prefix.size());
  if (module.starts_with(kWrapper)) module.remove_prefix(kWrapper.size());
  Scale scale = network.common;
  if (const auto alpha = first_match(network.alphas, module)) scale.alpha = alpha;
  if (const auto rank = first_match(network.ranks, module)) scale.rank = rank;
  return scale;
}

}  // namespace maquette::models
