#include "diffusion/prompts.h"

#include <algorithm>

#include "diffusion/guides.h"
#include "diffusion/regions.h"

namespace maquette::diffusion {

namespace {

constexpr size_t kKept = 4;

// Everything but the seed decides what the text encoders say.
std::string key_of(const PromptRequest& request, const PictureInput& input) {
  Recipe seedless = request.recipe;
  seedless.seed = 0;
  return fmt::format("{}|{}|{}|{}x{}|{}", request.model_key, request.settings.calls,
                     request.settings.first_pass_calls.value_or(0), input.height, input.width,
                     to_json(seedless).dump());
}

}  // namespace

ReadPrompts PromptCache::read(kernels::Exec& ex, const PromptRequest& request, const PictureInput& input) {
  const std::string key = key_of(request, input);
  const auto found = std::ranges::find(kept_, key, [](const auto& entry) { return entry.first; });
  if (found != kept_.end()) return found->second;

  Model& model = request.model;
  EncodedPrompts encoded = encode_prompts(ex, model.text, request.recipe, request.settings);
  const int factor = model.codec->factor();
  ReadPrompts read;
  read.score_bias = add_regions(ex, model.text, request.recipe, request.settings,
                                {.size = {.height = input.height / factor, .width = input.width / factor},
                                 .pictures = request.pictures},
                                encoded.plan);
  read.plan = std::move(encoded.plan);
  read.warnings = std::move(encoded.warnings);
  // The text encoders are done: packing them again for another prompt takes less time than it takes memory
  // now.
  for (const char* encoder : {"text_encoder", "text_encoder_2"}) {
    const auto parameters = model.parameters.find(encoder);
    if (parameters != model.parameters.end()) parameters->second.forget_packed();
  }
  kept_.emplace_back(key, read);
  if (kept_.size() > kKept) kept_.pop_front();
  return read;
}

}  // namespace maquette::diffusion
