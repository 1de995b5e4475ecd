// How a picture from anywhere was made, as far as it tells: for bringing pictures in as takes. Nothing that
// it carries is lost, and nothing that it carries is an error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/recipe.h"
#include "media/picture_metadata.h"

namespace maquette::app {

enum class RecipeSource { none, maquette, a1111, comfyui };
std::string_view name(RecipeSource source);  // "none", "maquette", "a1111", "comfyui"

struct PictureRecipe {
  RecipeSource source = RecipeSource::none;
  // Absent where there is no text or it could not be read. Files of other programs go by the names that these
  // knew them by, without hashes; steps are 0 where the text had no settings.
  std::optional<Recipe> recipe = {};
  std::vector<std::string> notes = {};  // what was not understood or is not taken over, a line each
  std::string original = {};            // the text as the picture carries it
};

// Our own record first, then A1111's parameters, then ComfyUI's graph. Samplers and schedules that are not
// known here are left out of the recipe and named in the notes.
PictureRecipe recipe_of_metadata(const media::PictureMetadata& metadata);
// An Error only where the file is no picture or cannot be read.
Result<PictureRecipe> recipe_of_picture(const fs::path& file);

}  // namespace maquette::app
