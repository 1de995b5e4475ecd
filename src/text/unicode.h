// Unicode as the CLIP tokeniser and the prompt grammars see it: UTF-8, character classes, NFC, lower case.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace maquette::text {

// One character of UTF-8 text and the number of bytes it takes. Damaged bytes read as U+FFFD, one for each
// maximal damaged part, so that any bytes can be walked and `length` is never 0.
struct DecodedCharacter {
  char32_t character;
  size_t length;
};
DecodedCharacter decode_utf8(std::string_view text, size_t position);
void append_utf8(std::string& text, char32_t character);

// The same text with damaged parts replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

// The classes of the CLIP regular expression: \p{L}, \p{N}, \s, and all the rest.
enum class CharacterClass { letter, number, space, other };
CharacterClass classify(char32_t character);

// \w and \s of the Python regular expressions in which the prompt dialects are defined.
bool is_word_character(char32_t character);
bool is_python_space(char32_t character);

// NFC, then every run of white space as one space, then lower case character by character.
// `text` must be valid UTF-8.
std::string normalize(std::string_view text);

}  // namespace maquette::text
