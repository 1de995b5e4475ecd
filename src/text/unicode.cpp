// Character data comes from utf8proc (Unicode 15 in Debian bookworm). The reference tokeniser (the Rust
// library "tokenizers" 0.23 behind transformers 5) mixes three versions of Unicode: classes of 16, lower case
// of 17 and normalisation of 9. The tables below hold what differs, found by asking both about every code
// point (tools/golden/tokenizer.py makes strings of them for the test).
#include "text/unicode.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <span>
#include <utf8proc.h>
#include <vector>

#include "base/error.h"

namespace maquette::text {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Letters and numbers added by Unicode 15.1 and 16.
constexpr Range kNewLetters[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3}, {0x10D4A, 0x10D65},
    {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389}, {0x1138B, 0x1138B}, {0x1138E, 0x1138E},
    {0x11390, 0x113B5}, {0x113B7, 0x113B7}, {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0},
    {0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
    {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D}};
constexpr Range kNewNumbers[] = {{0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9},
                                 {0x16130, 0x16139}, {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9},
                                 {0x1E5F1, 0x1E5FA}};

// Combining marks added after Unicode 9: the reference neither reorders nor composes them. U+11A7 is here
// because utf8proc 2.8 drops it after a Hangul syllable.
constexpr Range kNotNormalized[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},     {0xC3C, 0xC3C},
    {0xD3B, 0xD3C},     {0xEBA, 0xEBA},     {0x11A7, 0x11A7},   {0x1715, 0x1715},   {0x1ABF, 0x1ACE},
    {0x1DF6, 0x1DFA},   {0xA82C, 0xA82C},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF},
    {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x1133B, 0x1133B}, {0x1145E, 0x1145E},
    {0x11839, 0x1183A}, {0x11930, 0x11930}, {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0},
    {0x11A34, 0x11A34}, {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45},
    {0x11D97, 0x11D97}, {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136},
    {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}};

bool contains(std::span<const Range> ranges, char32_t c) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), c,
                                      [](char32_t value, const Range& range) { return value < range.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

// Lower case of Unicode 17 where it is newer than utf8proc's; U+0130, the only one of two characters, is
// handled by the caller.
char32_t lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 0x20 : c;
  if (c >= 0x10D50 && c <= 0x10D65) return c + 0x20;
  if (c >= 0x16EA0 && c <= 0x16EB8) return c + 0x1B;
  switch (c) {
    case 0xA7CB: return 0x264;
    case 0xA7DC: return 0x19B;
    case 0x1C89:
    case 0xA7CC:
    case 0xA7CE:
    case 0xA7D2:
    case 0xA7D4:
    case 0xA7DA: return c + 1;
    default: return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
  }
}

// Puts the marks of long runs in canonical order: utf8proc does that too, but in quadratic time. A stable
// sort by combining class changes nothing about what NFC makes of the text (Unicode 15, section 3.11,
// D108-D109).
std::string order_marks(std::string_view text) {
  constexpr size_t kLongRun = 32;
  struct Mark {
    int combining_class;
    std::string_view bytes;
  };
  std::string out;
  std::vector<Mark> run;
  const auto flush = [&] {
    if (run.size() > kLongRun) {
      std::stable_sort(run.begin(), run.end(),
                       [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; });
    }
    for (const Mark& mark : run) out.append(mark.bytes);
    run.clear();
  };
  for (size_t i = 0; i < text.size();) {
    const DecodedCharacter c = decode_utf8(text, i);
    const int combining_class =
        static_cast<int>(utf8proc_get_property(static_cast<utf8proc_int32_t>(c.character))->combining_class);
    if (combining_class == 0) {
      flush();
      out.append(text.substr(i, c.length));
    } else {
      run.push_back({combining_class, text.substr(i, c.length)});
    }
    i += c.length;
  }
  flush();
  return out;
}

// NFC of text that holds none of the characters of kNotNormalized.
void append_nfc(std::string& out, std::string_view unordered) {
  if (unordered.empty()) return;
  const std::string text = order_marks(unordered);
  utf8proc_uint8_t* composed = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
      &composed, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) {
    throw Error(ErrorCode::failed, "cannot normalise a text").with("found", utf8proc_errmsg(size));
  }
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, &std::free);
  out.append(reinterpret_cast<const char*>(composed), static_cast<size_t>(size));
}

// The marks that the reference does not know are starters to it: nothing is reordered across them, so the
// text between two of them can be normalised by itself.
std::string nfc(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const DecodedCharacter c = decode_utf8(text, i);
    if (contains(kNotNormalized, c.character)) {
      append_nfc(out, text.substr(begin, i - begin));
      out.append(text.substr(i, c.length));
      begin = i + c.length;
    }
    i += c.length;
  }
  append_nfc(out, text.substr(begin));
  return out;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

DecodedCharacter decode_utf8(std::string_view text, size_t position) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[position + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0) return {0xFFFD, 1};

  // The second byte is bounded more tightly after some first bytes: no overlong forms, no surrogates, nothing
  // above U+10FFFF (Unicode 15, table 3-7).
  char32_t value = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (i == 1 && lead == 0xE0) low = 0xA0;
    if (i == 1 && lead == 0xED) high = 0x9F;
    if (i == 1 && lead == 0xF0) low = 0x90;
    if (i == 1 && lead == 0xF4) high = 0x8F;
    if (position + i >= text.size() || byte(i) < low || byte(i) > high) return {0xFFFD, i};
    value = value << 6 | (byte(i) & 0x3F);
  }
  return {value, length};
}

void append_utf8(std::string& text, char32_t character) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (character < 0x80) {
    put(character);
  } else if (character < 0x800) {
    put(0xC0 | character >> 6);
    put(0x80 | (character & 0x3F));
  } else if (character < 0x10000) {
    put(0xE0 | character >> 12);
    put(0x80 | (character >> 6 & 0x3F));
    put(0x80 | (character & 0x3F));
  } else {
    put(0xF0 | character >> 18);
    put(0x80 | (character >> 12 & 0x3F));
    put(0x80 | (character >> 6 & 0x3F));
    put(0x80 | (character & 0x3F));
  }
}

std::string to_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const DecodedCharacter c = decode_utf8(text, i);
    append_utf8(out, c.character);
    i += c.length;
  }
  return out;
}

CharacterClass classify(char32_t character) {
  if (character < 0x80) {
    if ((character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z')) {
      return CharacterClass::letter;
    }
    if (character >= '0' && character <= '9') return CharacterClass::number;
    if (character == ' ' || (character >= 9 && character <= 13)) return CharacterClass::space;
    return CharacterClass::other;
  }
  if (character == 0x85) return CharacterClass::space;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(character))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return CharacterClass::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return CharacterClass::number;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return CharacterClass::space;
    default: break;
  }
  if (contains(kNewLetters, character)) return CharacterClass::letter;
  if (contains(kNewNumbers, character)) return CharacterClass::number;
  return CharacterClass::other;
}

bool is_word_character(char32_t character) {
  if (character == '_') return true;
  const CharacterClass kind = classify(character);
  return kind == CharacterClass::letter || kind == CharacterClass::number;
}

bool is_python_space(char32_t character) {
  return (character >= 0x1C && character <= 0x1F) || classify(character) == CharacterClass::space;
}

std::string normalize(std::string_view text) {
  const std::string composed = is_ascii(text) ? std::string(text) : nfc(text);
  std::string out;
  out.reserve(composed.size());
  bool after_space = false;
  for (size_t i = 0; i < composed.size();) {
    const DecodedCharacter c = decode_utf8(composed, i);
    i += c.length;
    const bool space = classify(c.character) == CharacterClass::space;
    if (space) {
      if (!after_space) out.push_back(' ');
    } else if (c.character == 0x130) {
      out.append("i\u0307");
    } else {
      append_utf8(out, lower(c.character));
    }
    after_space = space;
  }
  return out;
}

}  // namespace maquette::text
