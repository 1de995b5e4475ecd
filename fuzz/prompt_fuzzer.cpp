// Any bytes as a prompt, in each dialect. The first bytes choose the options; the rest is the text. What is
// checked besides memory: chunks are no longer than they may be, weights are finite, every step has a
// variant, and reading the same text twice gives the same tokens.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/prompt.h"

using namespace maquette;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const text::ParsedPrompt& prompt, const text::PromptOptions& options) {
  require(!prompt.parts.empty());
  for (const text::PromptPart& part : prompt.parts) {
    require(!part.variants.empty() && !part.schedule.empty());
    for (int step = 0; step <= options.steps + 1; ++step)
      require(part.variant_at(step) < part.variants.size());
    for (const text::PromptVariant& variant : part.variants) {
      require(!variant.chunks.empty() && variant.chunks.size() == part.variants[0].chunks.size());
      for (const text::Chunk& chunk : variant.chunks) {
        const text::FramedChunk framed = text::frame_chunk(chunk, {}, options.chunk_length);
        require(framed.ids.size() == static_cast<size_t>(options.chunk_length) + 2);
        for (const float weight : framed.weights) require(std::isfinite(weight));
      }
    }
  }
  for (const text::ExtraNetwork& network : prompt.extra_networks) (void)text::read_lora_tag(network);
  require(text::count_tokens(prompt, options).tokens >= 0);
}

bool same_tokens(const text::ParsedPrompt& a, const text::ParsedPrompt& b) {
  if (a.parts.size() != b.parts.size()) return false;
  for (size_t i = 0; i < a.parts.size(); ++i) {
    if (a.parts[i].variants.size() != b.parts[i].variants.size()) return false;
    for (size_t j = 0; j < a.parts[i].variants.size(); ++j) {
      if (a.parts[i].variants[j].text != b.parts[i].variants[j].text) return false;
      if (a.parts[i].variants[j].chunks.size() != b.parts[i].variants[j].chunks.size()) return false;
    }
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const text::EmbeddingName kNames[] = {{"a", 2}, {"ink wash", 9}, {"b.pt", 1}};
  if (size < 3 || size > 4096) return 0;
  const std::string_view prompt(reinterpret_cast<const char*>(data) + 3, size - 3);
  text::PromptOptions options = {.dialect = static_cast<Dialect>(data[0] % 3),
                                 .steps = 1 + data[1] % 32,
                                 .first_pass_steps = {},
                                 .negative = (data[2] & 1) != 0,
                                 .chunk_length = (data[2] & 2) != 0 ? 9 : 75,
                                 .embeddings = kNames};
  if ((data[2] & 4) != 0) options.first_pass_steps = 1 + data[1] / 8;
  const text::ClipTokenizer& tokenizer = text::ClipTokenizer::standard();
  try {
    const text::ParsedPrompt parsed = text::parse_prompt(prompt, tokenizer, options);
    check(parsed, options);
    require(same_tokens(parsed, text::parse_prompt(prompt, tokenizer, options)));
  } catch (const Error& error) {
    require(error.code() == ErrorCode::usage);
  }
  return 0;
}
