// Compatibility decomposition, case folding and removal of marks by utf8proc; then the letters that Unicode
// does not decompose though people write them without their stroke or ligature.
#include "text/folding.h"

#include <cstdlib>
#include <memory>
#include <utf8proc.h>

#include "base/error.h"
#include "text/unicode.h"

namespace maquette::text {

namespace {

std::string without_marks(std::string_view text) {
  const std::string valid = to_valid_utf8(text);
  utf8proc_uint8_t* folded = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(valid.data()),
                   static_cast<utf8proc_ssize_t>(valid.size()), &folded,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE |
                                                  UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_IGNORE));
  if (size < 0) throw Error(ErrorCode::failed, "cannot fold a text").with("found", utf8proc_errmsg(size));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(folded, &std::free);
  return {reinterpret_cast<const char*>(folded), static_cast<size_t>(size)};
}

std::string_view plain_form(char32_t c) {
  switch (c) {
    case U'ø': return "o";
    case U'ł': return "l";
    case U'đ':
    case U'ð': return "d";
    case U'þ': return "th";
    case U'æ': return "ae";
    case U'œ': return "oe";
    case U'ı': return "i";
    case U'ħ': return "h";
    default: return "";
  }
}

bool is_word_by_itself(char32_t c) {
  return (c >= 0x2E80 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7AF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

}  // namespace

std::vector<std::string> folded_words(std::string_view text) {
  const std::string folded = without_marks(text);
  std::vector<std::string> words;
  std::string word;
  CharacterClass kind = CharacterClass::other;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (size_t i = 0; i < folded.size();) {
    const DecodedCharacter c = decode_utf8(folded, i);
    i += c.length;
    const CharacterClass now = classify(c.character);
    const bool counts = now == CharacterClass::letter || now == CharacterClass::number;
    // Letters and digits do not share a word: "maler2" holds "maler".
    if (!counts || now != kind || is_word_by_itself(c.character)) end_word();
    kind = now;
    if (!counts) continue;
    if (const std::string_view plain = plain_form(c.character); !plain.empty()) {
      word += plain;
    } else {
      append_utf8(word, c.character);
    }
    if (is_word_by_itself(c.character)) end_word();
  }
  end_word();
  return words;
}

}  // namespace maquette::text
