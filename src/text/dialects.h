// The three dialects, one function each; parse_prompt() in prompt.h is the way in. `text` is valid UTF-8.
#pragma once

#include "text/prompt.h"

namespace maquette::text {

ParsedPrompt parse_diffusers(std::string_view text, const ClipTokenizer& tokenizer,
                             const PromptOptions& options);
ParsedPrompt parse_a1111(std::string_view text, const ClipTokenizer& tokenizer, const PromptOptions& options);
ParsedPrompt parse_comfy(std::string_view text, const ClipTokenizer& tokenizer, const PromptOptions& options);

// The weight as the text encoder takes it; throws Error(usage) where it is not finite.
float token_weight(double weight);

}  // namespace maquette::text
