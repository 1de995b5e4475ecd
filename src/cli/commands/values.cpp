#include "cli/commands/values.h"

#include <vector>

#include "base/text.h"

namespace maquette::cli {

void bad_value(std::string_view option, std::string_view found, std::string_view expected) {
  throw Error(ErrorCode::usage, "cannot use {}", option).with("found", found).with("expected", expected);
}

namespace {

double number(std::string_view option, std::string_view text, std::string_view form) {
  const auto value = parse_double(text);
  if (!value) bad_value(option, text, form);
  return *value;
}

// FILE[:weight] and longer forms: numbers are taken from the end, so that paths may hold colons.
struct Suffixed {
  std::string head;
  std::vector<double> numbers;
};
Suffixed split_numbers(std::string text, size_t most) {
  Suffixed result{.head = std::move(text), .numbers = {}};
  while (result.numbers.size() < most) {
    const size_t colon = result.head.rfind(':');
    if (colon == std::string::npos || colon == 0) break;
    const auto value = parse_double(std::string_view(result.head).substr(colon + 1));
    if (!value) break;
    result.numbers.insert(result.numbers.begin(), *value);
    result.head.resize(colon);
  }
  return result;
}

double at_or(const std::vector<double>& numbers, size_t i, double otherwise) {
  return i < numbers.size() ? numbers[i] : otherwise;
}

}  // namespace

// KIND:MODEL:IMG[:weight[:start:end]]
Recipe::Control parse_control(const std::string& text) {
  constexpr std::string_view kForm = "KIND:MODEL:IMAGE[:weight[:start:end]]";
  const Suffixed parts = split_numbers(text, 3);
  const size_t first = parts.head.find(':');
  const size_t last = parts.head.rfind(':');
  if (first == std::string::npos || last == first) bad_value("--control", text, kForm);
  return {.kind = parts.head.substr(0, first),
          .model = {parts.head.substr(first + 1, last - first - 1), ""},
          .image = {parts.head.substr(last + 1), ""},
          .weight = at_or(parts.numbers, 0, 1),
          .start = at_or(parts.numbers, 1, 0),
          .end = at_or(parts.numbers, 2, 1)};
}

// FILE[:weight[:text weight]]
Recipe::Adapter parse_lora(const std::string& text) {
  const Suffixed parts = split_numbers(text, 2);
  const double weight = at_or(parts.numbers, 0, 1);
  return {.file = {parts.head, ""}, .unet_weight = weight, .text_weight = at_or(parts.numbers, 1, weight)};
}

// MASK:PROMPT, or MASK:weight:PROMPT
Recipe::Region parse_region(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) bad_value("--region", text, "MASK:PROMPT or MASK:weight:PROMPT");
  Recipe::Region region{.prompt = text.substr(colon + 1), .mask = {text.substr(0, colon), ""}, .weight = 1};
  const size_t second = region.prompt.find(':');
  if (second != std::string::npos) {
    if (const auto weight = parse_double(std::string_view(region.prompt).substr(0, second))) {
      region.weight = *weight;
      region.prompt = region.prompt.substr(second + 1);
    }
  }
  return region;
}

Recipe::Outpaint parse_outpaint(const std::string& text) {
  const std::vector<std::string> parts = split(text, ',');
  if (parts.size() != 4) bad_value("--outpaint", text, "LEFT,TOP,RIGHT,BOTTOM in pixels");
  const auto pixels = [&](size_t i) {
    const double value = number("--outpaint", parts[i], "LEFT,TOP,RIGHT,BOTTOM in pixels");
    if (value < 0 || value > 16384) bad_value("--outpaint", parts[i], "0 to 16384 pixels");
    return static_cast<int>(value);
  };
  return {.left = pixels(0), .right = pixels(2), .top = pixels(1), .bottom = pixels(3)};
}

std::vector<double> parse_pair(std::string_view option, const std::string& text, char between) {
  const std::string_view form = between == 'x' ? "HEIGHTxWIDTH in pixels" : "TOP,LEFT in pixels";
  const std::vector<std::string> parts = split(text, between);
  if (parts.size() != 2) bad_value(option, text, form);
  const auto pixels = [&](size_t i) {
    const double value = number(option, parts[i], form);
    if (value < 0 || value > 65536) bad_value(option, text, "0 to 65536 pixels");
    return value;
  };
  return {pixels(0), pixels(1)};
}

// N[:DEPTH]; 1 is off, whatever the depth.
Recipe::FeatureCache parse_feature_cache(const std::string& text) {
  constexpr std::string_view kForm = "N or N:DEPTH, whole numbers from 1";
  const std::vector<std::string> parts = split(text, ':');
  const auto whole = [&](size_t i) {
    const auto value = parse_integer(parts[i]);
    if (!value || *value < 1 || *value > 1000) bad_value("--feature-cache", text, kForm);
    return static_cast<int>(*value);
  };
  if (parts.size() > 2) bad_value("--feature-cache", text, kForm);
  Recipe::FeatureCache cache{.every = whole(0)};
  if (parts.size() == 2) cache.depth = whole(1);
  return cache.every == 1 ? Recipe::FeatureCache() : cache;
}

}  // namespace maquette::cli
