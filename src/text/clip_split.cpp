// The alternatives of the expression are tried from left to right at each position, and the first that
// matches is taken. The reference then cuts each piece once more by the expression of GPT-2, which changes
// one case only: a mark of beginning or end that is still in the normalised text (it was written in capitals)
// falls apart into
// "<|", its letters and "|>".
#include "text/clip_split.h"

#include <array>

#include "text/unicode.h"
#include "text/vocabulary.h"

namespace maquette::text {

namespace {

constexpr std::array<std::string_view, 7> kContractions = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
constexpr size_t kMarkBracket = 2;  // bytes of "<|" and of "|>"

// Bytes of the run of characters of this class that starts at `position`.
size_t run_length(std::string_view text, size_t position, CharacterClass kind) {
  size_t end = position;
  while (end < text.size()) {
    const DecodedCharacter c = decode_utf8(text, end);
    if (classify(c.character) != kind) break;
    end += c.length;
  }
  return end - position;
}

size_t contraction_length(std::string_view rest) {
  for (const std::string_view contraction : kContractions) {
    if (rest.starts_with(contraction)) return contraction.size();
  }
  return 0;
}

size_t mark_length(std::string_view rest) {
  for (const std::string_view mark : {kStartOfText, kEndOfText}) {
    if (rest.starts_with(mark)) return mark.size();
  }
  return 0;
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    const size_t mark = mark_length(rest);
    if (mark > 0) {
      words.push_back(rest.substr(0, kMarkBracket));
      words.push_back(rest.substr(kMarkBracket, mark - 2 * kMarkBracket));
      words.push_back(rest.substr(mark - kMarkBracket, kMarkBracket));
      i += mark;
      continue;
    }
    const DecodedCharacter c = decode_utf8(text, i);
    const CharacterClass kind = classify(c.character);
    size_t length = contraction_length(rest);
    if (length == 0) length = kind == CharacterClass::number ? c.length : run_length(text, i, kind);
    if (kind != CharacterClass::space) words.push_back(rest.substr(0, length));
    i += length;
  }
  return words;
}

}  // namespace maquette::text
