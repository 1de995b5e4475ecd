// The vocabulary of a byte-pair encoding: tokens with their numbers, and which pairs of tokens merge into
// which.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"

namespace maquette::text {

inline constexpr std::string_view kEndOfWord = "</w>";
inline constexpr std::string_view kStartOfText = "<|startoftext|>";
inline constexpr std::string_view kEndOfText = "<|endoftext|>";

// A token that is found in the text before it is cut into words. `normalized` ones are looked for in the
// normalised (lower-case) text, the others in the text as written.
struct AddedToken {
  std::string content;
  int id = 0;
  bool normalized = false;
  bool special = true;  // a mark rather than a word: can be left out when text is shown
};

// What a vocabulary file holds, before it is checked.
struct VocabularyParts {
  std::vector<std::pair<std::string, int>> tokens;
  std::vector<std::pair<std::string, std::string>> merges;  // in order of rank
  std::vector<AddedToken> added;
};

class Vocabulary {
 public:
  struct Merge {
    int rank;
    int token;  // what the pair becomes
  };

  // Numbers the tokens as CLIP does: bytes, bytes ending a word, one token for each merge, the two marks.
  // `name` is the file shown in the error. Refuses lines that are not two known tokens.
  static Result<Vocabulary> from_merges(std::string_view merges_text, std::string_view name);

  // Checks that numbers are in range and given once, that merges join known tokens into known tokens, and
  // that the two marks exist.
  static Result<Vocabulary> from_parts(const VocabularyParts& parts, std::string_view name);

  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;
  Vocabulary(const Vocabulary&) = delete;
  Vocabulary& operator=(const Vocabulary&) = delete;

  // One more than the highest number.
  int size() const { return static_cast<int>(tokens_.size()); }
  std::optional<int> find(std::string_view token) const;
  // The token as it stands in the file; empty for numbers that are not used or out of range.
  std::string_view token(int id) const;
  std::optional<Merge> merge(int left, int right) const;

 private:
  Vocabulary() = default;

  std::vector<std::string> tokens_;                // by number; never resized once `ids_` points into it
  std::unordered_map<std::string_view, int> ids_;  // views of tokens_
  std::unordered_map<uint64_t, Merge> merges_;     // left << 32 | right
};

// The printable stand-in character of a byte (one of 256), as UTF-8, and back: 256 for other characters.
std::string_view stand_in(unsigned char byte);
int byte_of_stand_in(char32_t character);

// Readers of the published files. Each refuses damaged or hostile text with an Error that names `name`.
Result<std::vector<std::pair<std::string, std::string>>> read_merges(std::string_view text,
                                                                     std::string_view name);
Result<VocabularyParts> read_vocab_json(std::string_view text, std::string_view name);      // no merges
Result<VocabularyParts> read_tokenizer_json(std::string_view text, std::string_view name);  // all of it

}  // namespace maquette::text
