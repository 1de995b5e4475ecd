// Conditioning: from the words of a recipe to what the denoising network is told, by the rules of a dialect
// (docs/dialects.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/recipe.h"
#include "diffusion/guidance.h"
#include "models/clip/text_encoder.h"
#include "models/unet/unet_config.h"
#include "text/prompt.h"

namespace maquette::diffusion {

// A text encoder with its tokeniser and the family's conventions.
struct TextBranch {
  models::TextEncoder encoder;
  text::ClipTokenizer tokenizer;
  int64_t pad_id = 49407;
  // Which hidden state is used where no clip skip is asked for: 1 = the last, 2 = the one before it.
  int default_layer = 1;
  bool final_norm = true;  // whether that state goes through the final layer norm (not in SDXL)
};

// A textual inversion: vectors for each branch (empty where the file has none for it).
struct TextualInversion {
  std::string name;
  std::vector<Tensor> vectors;  // by branch: [rows, width] f32
};

// What decides a prompt's encoding besides the text.
struct ConditioningSettings {
  Dialect dialect = Dialect::diffusers;
  int calls = 20;                       // of the network in the whole sampling, as prompt schedules count
  std::optional<int> first_pass_calls;  // in the second pass of a hi-res picture: those of the first
  int clip_skip = 0;
  bool zero_empty_negative = false;  // SDXL: see docs/dialects.md
  // SDXL's numbers after the pooled text: height before width; empty for other families.
  std::vector<double> sizes;
  std::vector<double> negative_sizes;
  models::SizeWaves size_waves;
};

// The branches of a model (one, or SDXL's two whose outputs lie side by side) and everything loaded for
// prompts.
struct TextSide {
  std::vector<TextBranch> branches;
  std::vector<TextualInversion> inversions;
};

struct EncodedPrompts {
  PromptPlan plan;
  std::vector<std::string> warnings;  // what was cut off, unknown tags
  std::vector<text::ExtraNetwork> extra_networks;
};

class ChunkEncoder;

// Encodes prompt and negative, and runs the chunks of the regions' prompts with them. Throws Error(usage) for
// prompts that cannot be read.
EncodedPrompts encode_prompts(ChunkEncoder& chunks, const Recipe& recipe,
                              const ConditioningSettings& settings);

// Encodes one plain text, for regions: -> [1, T, C] f32.
Tensor encode_plain(ChunkEncoder& chunks, std::string_view text, const ConditioningSettings& settings);

}  // namespace maquette::diffusion
