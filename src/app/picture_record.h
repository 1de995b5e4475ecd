// What a finished picture carries with it: the text other tools read, and the recipe that makes it again.
#pragma once

#include <string>

#include "app/a1111_record.h"
#include "base/recipe.h"
#include "media/picture_metadata.h"

namespace maquette::app {

// The version of the program, as pictures name it.
std::string version();

// The recipe with what the bytes also depend on: {"recipe": ..., "environment": {version, instruction set}}.
Json record_of(const Recipe& recipe);
// The recipe inside a record, or a bare recipe document.
Result<Recipe> recipe_of_record(const Json& record);

media::PictureMetadata metadata_of(const Recipe& recipe, const PictureFacts& facts);

}  // namespace maquette::app
