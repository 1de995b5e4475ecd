// What a finished picture carries with it: the text other tools read, and the recipe that makes it again.
#pragma once

#include <optional>
#include <string>

#include "app/a1111_record.h"
#include "base/recipe.h"
#include "media/picture_metadata.h"

namespace maquette::app {

// The version of the program, as pictures name it.
std::string version();

// The recipe with what the bytes also depend on: {"recipe": ..., "environment": {version, instruction set
// and, where measured kernels were used, the hash of their table}}.
Json record_of(const Recipe& recipe);
// The recipe inside a record, or a bare recipe document.
Result<Recipe> recipe_of_record(const Json& record);
// The hash of the table of kernels that it was made with, empty for none; absent in a bare recipe.
std::optional<std::string> kernels_of_record(const Json& record);

media::PictureMetadata metadata_of(const Recipe& recipe, const PictureFacts& facts);

}  // namespace maquette::app
