// The character encodings that picture metadata comes in, to and from UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "media/bytes.h"

namespace maquette::media {

bool is_utf8(std::string_view text);
bool is_ascii(std::string_view text);

// The next code point, moving `position` past it; U+FFFD for each byte that is not UTF-8.
char32_t next_code_point(std::string_view text, size_t& position);
void append_utf8(std::string& out, char32_t code_point);

std::string latin1_to_utf8(std::string_view latin1);
// Nothing where a character lies outside ISO 8859-1.
std::optional<std::string> utf8_to_latin1(std::string_view utf8);

// Lone surrogates and a last odd byte become U+FFFD; a byte-order mark decides the order and is dropped.
std::string utf16_to_utf8(Bytes utf16, Endian endian);
std::string utf8_to_utf16(std::string_view utf8, Endian endian);

}  // namespace maquette::media
