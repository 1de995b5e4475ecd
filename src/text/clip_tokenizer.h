// The tokeniser of CLIP: text to token numbers and back, number for number as transformers' CLIPTokenizer
// does it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "text/vocabulary.h"

namespace maquette::text {

class AddedTokens;  // the words looked for before the text is cut up (clip_tokenizer.cpp)

// The numbers of the tokens with a role of their own.
struct SpecialIds {
  int bos = 0;
  int eos = 0;
  int unknown = 0;  // for bytes that a trimmed vocabulary has no token for
  int pad = 0;
};

// Cheap to copy: copies share one vocabulary. Safe to use from several threads.
class ClipTokenizer {
 public:
  // The vocabulary built into the program; the pad token is <|endoftext|>.
  static const ClipTokenizer& standard();

  // The tokenizer/ folder of a diffusers checkpoint: vocab.json and merges.txt, or tokenizer.json where one
  // of them is missing; special tokens from special_tokens_map.json and tokenizer_config.json where they
  // exist.
  static Result<ClipTokenizer> load(const fs::path& folder);

  ClipTokenizer(std::shared_ptr<const Vocabulary> vocabulary, SpecialIds special,
                std::span<const AddedToken> added);

  // Without the marks of beginning and end. Marks written out in the text become their tokens; bytes that are
  // not UTF-8 read as U+FFFD.
  std::vector<int> encode(std::string_view text) const;

  // The text of the tokens: a space after each word, none at the ends. Special tokens are shown unless
  // `skip_special`; numbers that are not tokens are left out.
  std::string decode(std::span<const int> ids, bool skip_special = false) const;

  int bos_id() const { return special_.bos; }
  int eos_id() const { return special_.eos; }
  int pad_id() const { return special_.pad; }
  // One more than the highest number of the vocabulary and of the added tokens.
  int vocabulary_size() const;
  const Vocabulary& vocabulary() const { return *vocabulary_; }

  // A tokeniser that finds these words in the text as well; for textual inversion.
  ClipTokenizer with_added_tokens(std::span<const AddedToken> more) const;
  // A tokeniser that knows no added tokens but the two marks. SD2 and SDXL folders declare "!" as their pad
  // token, so that each "!" of a prompt becomes token 0; only the diffusers dialect wants that.
  ClipTokenizer without_added_tokens() const;

 private:
  void encode_normalized(std::string_view text, std::vector<int>& ids) const;
  void encode_word(std::string_view bytes, std::vector<int>& ids) const;

  std::shared_ptr<const Vocabulary> vocabulary_;
  std::shared_ptr<const AddedTokens> added_;
  SpecialIds special_;
};

}  // namespace maquette::text
