#include "diffusion/prompts.h"

#include <algorithm>

#include "diffusion/chunk_encoder.h"
#include "diffusion/guides.h"
#include "diffusion/regions.h"

namespace maquette::diffusion {

namespace {

constexpr size_t kKept = 4;

// The part of a recipe that the text encoders and regions hear: pictures that differ in anything else share
// what was read.
Recipe words_of(const Recipe& recipe) {
  Recipe words;
  words.prompt = recipe.prompt;
  words.negative = recipe.negative;
  words.dialect = recipe.dialect;
  words.clip_skip = recipe.clip_skip;
  words.loras = recipe.loras;
  for (Recipe::Adapter& lora : words.loras) lora.unet_weight = 0;
  words.embeddings = recipe.embeddings;
  words.allow_unmatched = recipe.allow_unmatched;
  words.regions = recipe.regions;
  return words;
}

std::string key_of(const PromptRequest& request, const PictureInput& input) {
  const ConditioningSettings& settings = request.settings;
  std::string key =
      fmt::format("{}|{}|{}|{}|{}|{}", request.model_key, settings.calls,
                  settings.first_pass_calls.value_or(0), fmt::join(settings.sizes, " "),
                  fmt::join(settings.negative_sizes, " "), to_json(words_of(request.recipe)).dump());
  if (!request.recipe.regions.empty()) key += fmt::format("|{}x{}", input.height, input.width);
  return key;
}

}  // namespace

ReadPrompts PromptCache::read(kernels::Exec& ex, const PromptRequest& request, const PictureInput& input) {
  const std::string key = key_of(request, input);
  const auto found = std::ranges::find(kept_, key, [](const auto& entry) { return entry.first; });
  if (found != kept_.end()) return found->second;

  Model& model = request.model;
  ChunkEncoder chunks(ex, model.text);
  EncodedPrompts encoded = encode_prompts(chunks, request.recipe, request.settings);
  const int factor = model.codec->factor();
  ReadPrompts read;
  read.score_bias = add_regions(chunks, request.recipe, request.settings,
                                {.size = {.height = input.height / factor, .width = input.width / factor},
                                 .pictures = request.pictures},
                                encoded.plan);
  read.plan = std::move(encoded.plan);
  read.warnings = std::move(encoded.warnings);
  kept_.emplace_back(key, read);
  if (kept_.size() > kKept) kept_.pop_front();
  return read;
}

}  // namespace maquette::diffusion
