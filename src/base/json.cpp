#include "base/json.h"

namespace maquette {

namespace {
constexpr int kMaxDepth = 64;  // deeper documents are hostile: nothing that we read needs ten levels
}

Result<Json> parse_json(std::string_view text, std::string_view name) {
  // Depth is checked first: parsing and destroying a value nested a million times exhausts the stack.
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) {
        return Error(ErrorCode::bad_file, "cannot read the JSON of {}", name)
            .with("found", "more than 64 levels of nesting");
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& e) {
    return Error(ErrorCode::bad_file, "cannot read the JSON of {}", name).with("found", e.what());
  }
}

}  // namespace maquette
