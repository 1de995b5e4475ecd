// JSON: nlohmann's, with insertion order kept so that written documents read like their schema.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.h"

namespace maquette {

using Json = nlohmann::ordered_json;

// Parses a whole document; `name` is the file or field shown in the error. Depth is limited to 64 levels.
Result<Json> parse_json(std::string_view text, std::string_view name);

// {"code", "what", "fields": {...}, "hint"}
Json to_json(const Error& error);

}  // namespace maquette
