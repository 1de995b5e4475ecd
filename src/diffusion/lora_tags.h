// <lora:name:weight> in prompts of the a1111 dialect: finding the files that the names mean.
#pragma once

#include <string>
#include <vector>

#include "base/recipe.h"

namespace maquette::diffusion {

// Puts an adapter for every tag of the prompt at the end of recipe.loras. A name is looked for in
// recipe.lora_folder, in $MAQUETTE_LORA_DIR, and beside the model: in the folders that other programs keep
// them in (Lora, loras, lora), and in the model's own. An adapter that the recipe already
// holds for a tag (a replayed recipe) keeps its file and takes the prompt's weights; those whose tag is no
// longer in the prompt go. Returns what people should know. Throws Error(not_found) naming the folders, or
// Error(usage) for tags that cannot be read.
std::vector<std::string> resolve_lora_tags(Recipe& recipe);

}  // namespace maquette::diffusion
