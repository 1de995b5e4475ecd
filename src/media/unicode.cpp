// UTF-8 and UTF-16 as in The Unicode Standard, section 3.9: shortest forms only, no surrogates in UTF-8.
#include "media/unicode.h"

#include <algorithm>

namespace maquette::media {

namespace {

constexpr char32_t kReplacement = 0xfffd;

// Length of the UTF-8 sequence that a first byte announces, and the bits that it contributes.
struct Lead {
  int length;
  char32_t bits;
  char32_t least;  // smallest code point that needs this length
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xc2 && byte < 0xe0) return {2, byte & 0x1fu, 0x80};
  if (byte >= 0xe0 && byte < 0xf0) return {3, byte & 0x0fu, 0x800};
  if (byte >= 0xf0 && byte < 0xf5) return {4, byte & 0x07u, 0x10000};
  return {0, 0, 0};
}

bool is_surrogate(char32_t c) { return c >= 0xd800 && c < 0xe000; }

// Decodes strictly at `position`; nothing where the bytes are not UTF-8.
std::optional<char32_t> decode_at(std::string_view text, size_t& position) {
  const Lead lead = lead_of(static_cast<unsigned char>(text[position]));
  if (lead.length == 0 || text.size() - position < static_cast<size_t>(lead.length)) return std::nullopt;
  char32_t c = lead.bits;
  for (int i = 1; i < lead.length; ++i) {
    const auto byte = static_cast<unsigned char>(text[position + static_cast<size_t>(i)]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    c = c << 6 | (byte & 0x3fu);
  }
  if (c < lead.least || c > 0x10ffff || is_surrogate(c)) return std::nullopt;
  position += static_cast<size_t>(lead.length);
  return c;
}

}  // namespace

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    if (!decode_at(text, i)) return false;
  }
  return true;
}

char32_t next_code_point(std::string_view text, size_t& position) {
  const std::optional<char32_t> c = decode_at(text, position);
  if (c) return *c;
  ++position;
  return kReplacement;
}

void append_utf8(std::string& out, char32_t c) {
  if (c > 0x10ffff || is_surrogate(c)) c = kReplacement;
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string latin1_to_utf8(std::string_view latin1) {
  std::string out;
  out.reserve(latin1.size());
  for (const char c : latin1) append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

std::optional<std::string> utf8_to_latin1(std::string_view utf8) {
  std::string out;
  for (size_t i = 0; i < utf8.size();) {
    const std::optional<char32_t> c = decode_at(utf8, i);
    if (!c || *c > 0xff) return std::nullopt;
    out += static_cast<char>(*c);
  }
  return out;
}

std::string utf16_to_utf8(Bytes utf16, Endian endian) {
  size_t i = 0;
  if (utf16.size() >= 2) {
    const auto first = *read_number<uint16_t>(utf16, 0, Endian::big);
    if (first == 0xfeff || first == 0xfffe) {
      endian = first == 0xfeff ? Endian::big : Endian::little;
      i = 2;
    }
  }
  std::string out;
  for (; i + 1 < utf16.size(); i += 2) {
    char32_t c = *read_number<uint16_t>(utf16, i, endian);
    // A high surrogate followed by a low one is one code point beyond the first 65,536.
    const char32_t next = read_number<uint16_t>(utf16, i + 2, endian).value_or(0);
    if (c >= 0xd800 && c < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
      c = 0x10000 + ((c - 0xd800) << 10) + (next - 0xdc00);
      i += 2;
    }
    append_utf8(out, c);
  }
  if (i < utf16.size()) append_utf8(out, kReplacement);
  return out;
}

std::string utf8_to_utf16(std::string_view utf8, Endian endian) {
  std::string out;
  for (size_t i = 0; i < utf8.size();) {
    const char32_t c = next_code_point(utf8, i);
    if (c < 0x10000) {
      append_number(out, static_cast<uint16_t>(c), endian);
    } else {
      append_number(out, static_cast<uint16_t>(0xd800 + ((c - 0x10000) >> 10)), endian);
      append_number(out, static_cast<uint16_t>(0xdc00 + ((c - 0x10000) & 0x3ff)), endian);
    }
  }
  return out;
}

}  // namespace maquette::media
