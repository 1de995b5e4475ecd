// The settings line is a list of pairs that match
//   \s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)
// found one after another from left to right, as a regular-expression search finds them. It is matched by
// hand, in one pass, because the text is hostile input and backtracking is not.
#include "media/a1111_parameters.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace maquette::media {

namespace {

constexpr size_t kMaxText = size_t{1} << 20;
constexpr size_t kFewestPairs = 3;
constexpr std::string_view kNegative = "Negative prompt:";

using Fields = std::vector<std::pair<std::string, std::string>>;

// \w for UTF-8: letters, digits, underscore; every byte beyond ASCII is taken for part of a letter.
bool is_word(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
bool is_key(char c) { return is_word(c) || c == ' ' || c == '-' || c == '/'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

size_t skip(std::string_view text, size_t at, bool (*belongs)(char)) {
  while (at < text.size() && belongs(text[at])) ++at;
  return at;
}

// Characters, not bytes: those bytes that do not continue a UTF-8 sequence.
size_t characters(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

// The end of a quoted value that starts at `at` and is followed by a comma or the end; npos where there is
// none.
size_t quoted_end(std::string_view text, size_t at) {
  if (at >= text.size() || text[at] != '"') return std::string_view::npos;
  size_t i = at + 1;
  while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
  const bool closed = i < text.size() && i > at + 1;
  return closed && (i + 1 == text.size() || text[i + 1] == ',') ? i + 1 : std::string_view::npos;
}

std::string unquote(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  const Result<Json> json = parse_json(value, "value");
  return json && json->is_string() ? json->get<std::string>() : std::string(value);
}

std::string quote(const std::string& value) {
  if (value.find_first_of(",:\n") == std::string::npos) return value;
  return Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Fields parse_settings(std::string_view line) {
  Fields fields;
  for (size_t at = 0; at < line.size();) {
    const size_t key = skip(line, at, is_space);
    const size_t key_end = key < line.size() && is_word(line[key]) ? skip(line, key, is_key) : key;
    // No key begins before the character that ended this run, since each would end at the same place.
    if (characters(line.substr(key, key_end - key)) < 2 || key_end == line.size() || line[key_end] != ':') {
      at = key_end == key ? key + 1 : std::max(key_end, key + 1);
      continue;
    }
    const size_t value = skip(line, key_end + 1, is_space);
    size_t value_end = quoted_end(line, value);
    if (value_end == std::string_view::npos) value_end = std::min(line.find(',', value), line.size());
    fields.emplace_back(line.substr(key, key_end - key), unquote(line.substr(value, value_end - value)));
    at = value_end + 1;
  }
  return fields;
}

}  // namespace

std::optional<std::string> A1111Parameters::find(std::string_view key) const {
  const auto found = std::ranges::find(fields.rbegin(), fields.rend(), key,
                                       [](const auto& pair) -> std::string_view { return pair.first; });
  return found == fields.rend() ? std::nullopt : std::optional(found->second);
}

std::optional<std::pair<int, int>> A1111Parameters::size() const {
  const std::vector<std::string> parts = split(find("Size").value_or(""), 'x');
  if (parts.size() != 2) return std::nullopt;
  const auto width = parse_integer(parts[0]);
  const auto height = parse_integer(parts[1]);
  const auto plausible = [](const std::optional<long long>& v) { return v && *v > 0 && *v <= 1'000'000; };
  if (!plausible(width) || !plausible(height)) return std::nullopt;
  return std::pair(static_cast<int>(*width), static_cast<int>(*height));
}

std::string write_a1111_parameters(const A1111Parameters& parameters) {
  std::string text = parameters.prompt;
  if (!parameters.negative_prompt.empty())
    text += fmt::format("\n{} {}", kNegative, parameters.negative_prompt);
  std::vector<std::string> pairs;
  for (const auto& [key, value] : parameters.fields)
    pairs.push_back(fmt::format("{}: {}", key, quote(value)));
  if (!pairs.empty()) text += fmt::format("\n{}", fmt::join(pairs, ", "));
  return text;
}

Result<A1111Parameters> parse_a1111_parameters(std::string_view text) {
  if (text.size() > kMaxText) {
    return Error(ErrorCode::bad_file, "cannot read the generation parameters")
        .with("found", fmt::format("{} bytes", text.size()))
        .with("expected", fmt::format("at most {} bytes", kMaxText));
  }
  std::vector<std::string> lines = split(trim(text), '\n');
  A1111Parameters parameters;
  if (!lines.empty()) parameters.fields = parse_settings(lines.back());
  if (parameters.fields.size() < kFewestPairs) {
    parameters.fields.clear();
  } else {
    lines.pop_back();
  }

  // Lines belong to the prompt until one begins with "Negative prompt:", and to the negative prompt from
  // there.
  bool negative = false;
  for (const std::string& line : lines) {
    std::string_view rest = trim(line);
    if (rest.starts_with(kNegative)) {
      negative = true;
      rest = trim(rest.substr(kNegative.size()));
    }
    std::string& target = negative ? parameters.negative_prompt : parameters.prompt;
    if (!target.empty()) target += '\n';
    target += rest;
  }
  return parameters;
}

}  // namespace maquette::media
