// Base64 (RFC 4648, section 4, with padding), as signed notes and PEM-like texts write bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace maquette {

std::string base64(std::string_view bytes);

// Strict: nothing where the text is not exactly what base64() would have written (blanks, missing padding,
// other last bits), so that one value has one spelling.
std::optional<std::string> parse_base64(std::string_view text);

}  // namespace maquette
