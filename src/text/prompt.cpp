// What the three dialects share: the checks before, the choice of dialect, and the framing of chunks after.
#include "text/prompt.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "text/dialects.h"
#include "text/unicode.h"

namespace maquette::text {

namespace {

constexpr size_t kMaxPromptBytes = size_t{64} << 10;
constexpr int kMaxSteps = 10000;
constexpr int kMaxChunkLength = 4096;
constexpr int kMaxVectors = 1024;

void check(std::string_view text, const PromptOptions& options) {
  if (text.size() > kMaxPromptBytes) {
    throw Error(ErrorCode::usage, "the prompt is too long")
        .with("found", fmt::format("{} bytes", text.size()))
        .with("expected", fmt::format("at most {}", kMaxPromptBytes));
  }
  const int first_pass = options.first_pass_steps.value_or(1);
  if (options.steps < 1 || options.steps > kMaxSteps || first_pass < 1 || first_pass > kMaxSteps) {
    throw Error(ErrorCode::usage, "a prompt cannot be scheduled over {} steps", options.steps)
        .with("expected", fmt::format("1 to {}", kMaxSteps));
  }
  if (options.chunk_length < 1 || options.chunk_length > kMaxChunkLength) {
    throw Error(ErrorCode::usage, "a text encoder cannot take {} tokens", options.chunk_length);
  }
  for (const EmbeddingName& embedding : options.embeddings) {
    if (embedding.name.empty() || embedding.vectors < 1 || embedding.vectors > kMaxVectors) {
      throw Error(ErrorCode::usage, "an embedding \"{}\" of {} vectors", embedding.name, embedding.vectors)
          .with("expected", fmt::format("a name, and 1 to {} vectors", kMaxVectors));
    }
  }
}

std::optional<double> number_of(const std::string& text) {
  const std::string_view stripped = trim(text);
  return parse_double(stripped.starts_with('+') ? stripped.substr(1) : stripped);
}

}  // namespace

size_t PromptPart::variant_at(int step) const {
  for (const Switch& entry : schedule) {
    if (step <= entry.until_step) return entry.variant;
  }
  return schedule.empty() ? 0 : schedule.back().variant;
}

ParsedPrompt parse_prompt(std::string_view text, const ClipTokenizer& tokenizer,
                          const PromptOptions& options) {
  check(text, options);
  const std::string valid = to_valid_utf8(text);
  switch (options.dialect) {
    case Dialect::diffusers: return parse_diffusers(valid, tokenizer, options);
    case Dialect::comfy: return parse_comfy(valid, tokenizer.without_added_tokens(), options);
    case Dialect::a1111: break;
  }
  return parse_a1111(valid, tokenizer.without_added_tokens(), options);
}

float token_weight(double weight) {
  const float narrow = static_cast<float>(weight);
  if (!std::isfinite(narrow)) throw Error(ErrorCode::usage, "a weight of the prompt is too large");
  return narrow;
}

TokenCount count_tokens(const ParsedPrompt& prompt, const PromptOptions& options) {
  TokenCount longest;
  for (const PromptPart& part : prompt.parts) {
    for (const PromptVariant& variant : part.variants) {
      // Empty chunks at the end only make the variants equally long.
      size_t used = variant.chunks.size();
      while (used > 1 && variant.chunks[used - 1].tokens.empty()) --used;
      const int before = static_cast<int>(used - 1) * options.chunk_length;
      longest.tokens =
          std::max(longest.tokens, before + static_cast<int>(variant.chunks[used - 1].tokens.size()));
    }
  }
  const int chunks = std::max(1, (longest.tokens + options.chunk_length - 1) / options.chunk_length);
  longest.capacity = chunks * options.chunk_length;
  return longest;
}

FramedChunk frame_chunk(const Chunk& chunk, const FrameIds& ids, int chunk_length) {
  const size_t length = static_cast<size_t>(chunk_length) + 2;
  if (chunk.tokens.size() + 2 > length) {
    throw Error(ErrorCode::failed, "a chunk of {} tokens does not fit in {}", chunk.tokens.size(),
                chunk_length);
  }
  FramedChunk framed;
  framed.ids.reserve(length);
  framed.weights.assign(length, 1.0f);
  framed.ids.push_back(ids.bos);
  for (const PromptToken& token : chunk.tokens) {
    const size_t position = framed.ids.size();
    if (token.embedding >= 0) {
      framed.replacements.push_back({static_cast<int>(position), token.embedding, token.row});
    }
    framed.ids.push_back(token.id);
    framed.weights[position] = token.weight;
  }
  framed.ids.push_back(ids.eos);
  framed.ids.resize(length, ids.pad);
  framed.eos_position =
      static_cast<int>(std::find(framed.ids.begin(), framed.ids.end(), ids.eos) - framed.ids.begin());
  return framed;
}

Result<LoraTag> read_lora_tag(const ExtraNetwork& network) {
  LoraTag tag;
  if (network.positional.empty() || network.positional[0].empty()) {
    return Error(ErrorCode::usage, "a <{}:...> tag without a name", network.kind);
  }
  tag.name = network.positional[0];
  const auto value = [&](size_t place, std::string_view key) -> const std::string* {
    for (const auto& [name, text] : network.named) {
      if (name == key) return &text;
    }
    return place < network.positional.size() ? &network.positional[place] : nullptr;
  };
  const auto wrong = [&](const std::string& text) {
    return Error(ErrorCode::usage, "\"{}\" is not a weight of <{}:{}>", text, network.kind, tag.name);
  };
  if (const std::string* text = value(1, "te")) {
    const std::optional<double> weight = number_of(*text);
    if (!weight) return wrong(*text);
    tag.text_encoder = *weight;
  }
  tag.unet = tag.text_encoder;
  if (const std::string* text = value(2, "unet")) {
    const std::optional<double> weight = number_of(*text);
    if (!weight) return wrong(*text);
    tag.unet = *weight;
  }
  if (const std::string* text = value(3, "dyn")) {
    const std::optional<long long> rank = parse_integer(trim(*text));
    if (!rank || *rank < 1 || *rank > 65536) return wrong(*text);
    tag.dynamic_rank = static_cast<int>(*rank);
  }
  return tag;
}

}  // namespace maquette::text
