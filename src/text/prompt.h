// Prompts in the three dialects: from the text that an artist writes to the tokens, weights and switches that
// the text encoder and the sampler need.
//
//   text -> parts (AND) -> variants (prompt editing, alternation) -> chunks of 75 -> tokens with weights
//
// `diffusers`: plain text, one chunk, what does not fit is cut off. `a1111`: emphasis that multiplies, BREAK,
// [from:to:when], [a|b], AND, <lora:...> tags, comments after #. `comfy`: emphasis where an explicit weight
// replaces the one around it, embedding:name, nothing else. The same text means different pictures in each,
// so the dialect belongs in the recipe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/dialect.h"
#include "base/result.h"
#include "text/clip_tokenizer.h"

namespace maquette::text {

// A textual inversion that the prompt may call by name; `vectors` is how many tokens it takes. Comfy names
// are file names, with or without the extension.
struct EmbeddingName {
  std::string name;
  int vectors = 1;
};

struct PromptToken {
  int id = 0;  // 0 where an embedding's vector takes the place of the token's
  float weight = 1.0f;
  int embedding = -1;  // index into PromptOptions::embeddings, or -1
  int row = 0;         // which of its vectors
};

// At most `chunk_length` tokens, without marks of beginning and end and without padding: see frame_chunk().
struct Chunk {
  std::vector<PromptToken> tokens;
};

// One text and its chunks, at least one.
struct PromptVariant {
  std::string text;
  std::vector<Chunk> chunks;
};

// One side of an AND: its weight, and which text is in force at which step.
struct PromptPart {
  // `variant` is in force while step <= until_step, counted from 0: so A1111 tests it, and the first switch
  // of a schedule comes one step later than its number says.
  struct Switch {
    int until_step;
    size_t variant;
  };

  double weight = 1.0;
  std::vector<PromptVariant> variants;  // distinct texts, all with the same number of chunks
  std::vector<Switch> schedule;         // by until_step; after the last one it stays in force

  size_t variant_at(int step) const;
};

// <kind:positional:...:name=value>, taken out of the text (dialect a1111).
struct ExtraNetwork {
  std::string kind;
  std::vector<std::string> positional;
  std::vector<std::pair<std::string, std::string>> named;
};

// What <lora:name:te:unet:dyn> (or te=, unet=, dyn=) asks for; `unet` is as `te` where it is left out.
struct LoraTag {
  std::string name;
  double text_encoder = 1.0;
  double unet = 1.0;
  std::optional<int> dynamic_rank;
};
Result<LoraTag> read_lora_tag(const ExtraNetwork& network);
// The tags of a prompt of the a1111 dialect, without reading the rest; comments are left out.
std::vector<ExtraNetwork> extra_networks_of(std::string_view prompt);

struct PromptOptions {
  Dialect dialect = Dialect::a1111;
  // Model calls of the whole schedule. A1111 counts two for each step of a second-order sampler (Heun, DPM2,
  // DPM++ 2S a, DPM++ SDE); the step asked of variant_at() must count in the same way.
  int steps = 20;
  // For the second pass of hi-res: the steps of the first one. Numbers with a point in [a:b:1.5] then mean
  // fractions of the second pass above 1.0, whole numbers count on from the first pass.
  std::optional<int> first_pass_steps;
  bool negative = false;  // a1111: no AND and no extra networks in a negative prompt
  int chunk_length = 75;
  std::span<const EmbeddingName> embeddings = {};
};

struct ParsedPrompt {
  std::vector<PromptPart> parts;  // at least one
  std::vector<ExtraNetwork> extra_networks;
  std::string truncated;  // diffusers: the text that did not fit, as the tokens read
  std::vector<std::string> warnings;
};

// Throws Error(usage) for prompts of more than 64 KiB, brackets nested deeper than 256, weights that are not
// finite, and options that make no sense.
ParsedPrompt parse_prompt(std::string_view text, const ClipTokenizer& tokenizer,
                          const PromptOptions& options);

// For the counter beside a prompt field: tokens of the longest variant (chunks before the last count whole),
// and how many fit before another chunk is begun (a1111, comfy) or text is cut off (diffusers).
struct TokenCount {
  int tokens = 0;
  int capacity = 0;
};
TokenCount count_tokens(const ParsedPrompt& prompt, const PromptOptions& options);

// The row that a text encoder takes: BOS, the tokens, EOS, padding up to chunk_length + 2.
struct FrameIds {
  int bos = 49406;
  int eos = 49407;
  int pad = 49407;  // SD1 and CLIP-L pad with EOS, SD2 and CLIP-G with 0
};
struct FramedChunk {
  struct Replacement {
    int position;
    int embedding;
    int row;
  };

  std::vector<int> ids;
  std::vector<float> weights;             // 1 at the marks and the padding
  std::vector<Replacement> replacements;  // positions whose vector comes from an embedding
  int eos_position = 0;                   // the first EOS: where the pooled vector is taken
};
FramedChunk frame_chunk(const Chunk& chunk, const FrameIds& ids, int chunk_length = 75);

}  // namespace maquette::text
