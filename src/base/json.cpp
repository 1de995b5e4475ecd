#include "base/json.h"

#include <algorithm>
#include <optional>
#include <string>

namespace maquette {

namespace {

constexpr int kMaxDepth = 64;  // deeper documents are hostile: nothing that we read needs ten levels

// Python's writers put Infinity and NaN where JSON has no word for them (published scheduler configurations
// have "lambda_min_clipped": -Infinity). They become the largest number of their sign, and null.
struct Word {
  std::string_view written;
  std::string_view read;
};
constexpr Word kPythonWords[] = {
    {"-Infinity", "-1.7976931348623157e308"}, {"Infinity", "1.7976931348623157e308"}, {"NaN", "null"}};

// The text as strict JSON; nothing where it nests too deeply.
std::optional<std::string> strict_json(std::string_view text) {
  std::string strict;
  strict.reserve(text.size());
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\' && i + 1 < text.size())
        strict += text[i++];
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return std::nullopt;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == '-' || c == 'I' || c == 'N') {
      const auto word = std::ranges::find_if(
          kPythonWords, [&](const Word& w) { return text.substr(i).starts_with(w.written); });
      if (word != std::end(kPythonWords)) {
        strict += word->read;
        i += word->written.size() - 1;
        continue;
      }
    }
    strict += text[i];
  }
  return strict;
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view name) {
  // Depth is checked first: parsing and destroying a value nested a million times exhausts the stack.
  const std::optional<std::string> strict = strict_json(text);
  if (!strict) {
    return Error(ErrorCode::bad_file, "cannot read the JSON of {}", name)
        .with("found", "more than 64 levels of nesting");
  }
  try {
    return Json::parse(*strict);
  } catch (const Json::exception& e) {
    return Error(ErrorCode::bad_file, "cannot read the JSON of {}", name).with("found", e.what());
  }
}

Json to_json(const Error& error) {
  Json fields = Json::object();
  for (const auto& [field, value] : error.fields()) fields[field] = value;
  return {
      {"code", name(error.code())}, {"what", error.what()}, {"fields", fields}, {"hint", error.hint_text()}};
}

}  // namespace maquette
