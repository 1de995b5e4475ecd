// Pictures of ComfyUI: the graph of nodes that made them, read as a recipe.
//
// ComfyUI writes the graph into PNG files as the text "prompt": {"3": {"class_type": "KSampler", "inputs":
// {"seed": 5, "model": ["4", 0], ...}}, ...}, where a list of a node's name and an output's number is a wire.
// A graph can do more than a recipe can say; what was passed over is listed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/recipe.h"

namespace maquette::media {

struct ComfyRecipe {
  // In the comfy dialect. Files go by the names that ComfyUI knows them by ("sdxl/base.safetensors"), without
  // hashes.
  Recipe recipe;
  std::vector<std::string> notes;  // what was not understood or is not taken over, a line each; at most 100
};

// Follows the wires back from the sampler: the last one before a picture is saved, and from it to the first
// pass of a picture that was painted in two. Errors: no JSON object, more than 4 MiB or 2,000 nodes, no
// sampler anywhere.
Result<ComfyRecipe> parse_comfy_prompt(std::string_view json);

}  // namespace maquette::media
