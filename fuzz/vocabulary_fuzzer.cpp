// Any text is either a vocabulary in one of its three published forms, or refused. The first byte says in
// which form the rest is read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/vocabulary.h"

namespace {

using maquette::Result;
using maquette::text::Vocabulary;
using maquette::text::VocabularyParts;

void check_parts(const Result<VocabularyParts>& parts) {
  if (!parts) return;
  const Result<Vocabulary> vocabulary = Vocabulary::from_parts(*parts, "input");
  if (!vocabulary) return;
  // What it numbers can be looked up by its number.
  for (const auto& [token, id] : parts->tokens) {
    if (vocabulary->token(id) != token || vocabulary->find(token) != id) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      static_cast<void>(Vocabulary::from_merges(text, "input"));
      break;
    case 1:
      check_parts(maquette::text::read_vocab_json(text, "input"));
      break;
    default:
      check_parts(maquette::text::read_tokenizer_json(text, "input"));
      break;
  }
  return 0;
}
