// Any bytes as a vocabulary. The first byte chooses the file: '0' merges.txt, '1' vocab.json (and, behind a
// zero byte, its merges), '2' tokenizer.json. A vocabulary that is accepted must encode and decode, with
// every number within its size.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "text/clip_tokenizer.h"

using namespace maquette;

namespace {

void use(Result<text::Vocabulary> vocabulary) {
  if (!vocabulary) return;
  const auto shared = std::make_shared<const text::Vocabulary>(std::move(*vocabulary));
  const int bos = shared->find(text::kStartOfText).value();
  const int eos = shared->find(text::kEndOfText).value();
  const text::ClipTokenizer tokenizer(shared, {.bos = bos, .eos = eos, .unknown = eos, .pad = eos}, {});
  const std::vector<int> ids =
      tokenizer.without_added_tokens().encode("a painted sea, it's 12 o'clock <|endoftext|>");
  for (const int id : ids) {
    if (id < 0 || id >= tokenizer.vocabulary_size()) std::abort();
  }
  (void)tokenizer.decode(ids);
}

void use_parts(const Result<text::VocabularyParts>& parts) {
  if (parts) use(text::Vocabulary::from_parts(*parts, "fuzz"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 0) {
    use(text::Vocabulary::from_merges(bytes, "input"));
  } else if (data[0] % 3 == 2) {
    use_parts(text::read_tokenizer_json(bytes, "input"));
  } else {
    const size_t end = std::min(bytes.find('\0'), bytes.size());
    Result<text::VocabularyParts> parts = text::read_vocab_json(bytes.substr(0, end), "input");
    auto merges = text::read_merges(bytes.substr(std::min(end + 1, bytes.size())), "input");
    if (parts && merges) {
      parts->merges = std::move(*merges);
      use_parts(parts);
    }
  }
  return 0;
}
