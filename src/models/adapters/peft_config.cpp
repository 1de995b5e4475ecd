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

}  // namespace

Result<PeftConfig> PeftConfig::from_json(const Json& json) {
  PeftConfig config;
  if (!json.is_object()) return wrong("", json);
  for (const auto& [key, value] : json.items()) {
    const size_t dot = key.find('.');
    const std::string network = dot == std::string::npos ? "" : key.substr(0, dot + 1);
    const std::string field = dot == std::string::npos ? key : key.substr(dot + 1);
    // PEFT's LoHa and LoKr call it "alpha".
    if ((field == "lora_alpha" || field == "alpha") && !value.is_null()) {
      const auto alpha = finite_number(value);
      if (!alpha) return wrong(key, value);
      config.networks_[network].alpha = alpha;
    } else if (field == "use_rslora" && !value.is_null()) {
      if (!value.is_boolean()) return wrong(key, value);
      config.networks_[network].root_of_rank = value.get<bool>();
    } else if (field == "alpha_pattern" && !value.is_null()) {
      if (!value.is_object() || value.size() > kMaxPatterns) return wrong(key, value);
      for (const auto& [pattern, number] : value.items()) {
        const auto alpha = finite_number(number);
        if (!alpha) return wrong(key, number);
        config.networks_[network].patterns.emplace_back(pattern, *alpha);
      }
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
  for (const auto& [pattern, alpha] : network.patterns) {
    if (ends_in(module, pattern)) return {.alpha = alpha, .root_of_rank = network.root_of_rank};
  }
  return {.alpha = network.alpha, .root_of_rank = network.root_of_rank};
}

}  // namespace maquette::models
