// Recipes of jobs: as people send them (models by their names in the library, pictures by their hashes in the
// show), checked before they wait, and as the worker gets them (paths).
#pragma once

#include "app/studio/studio.h"
#include "base/recipe.h"
#include "production/file_store.h"

namespace maquette::app {

// The recipe document, with shortcuts written out: "schema" and "version" may be missing, a file may be a
// text instead of {path}. Throws Error(usage, not_found, refused): a picture that is no file of the show
// ("sha256:..."), a model that the library does not have or that the caller may not use there.
Recipe checked_recipe(Studio& studio, const production::Caller& caller, const db::Row& show,
                      const Json& document);

// The models and adapters of a checked recipe, by name, each once.
std::vector<std::string> model_names_of(const Recipe& recipe);
// Whether pictures go in: an init picture, a mask, control pictures.
bool has_input_pictures(const Recipe& recipe);

// With the paths of this machine, and the seed of picture `index`.
Recipe recipe_for_worker(Recipe recipe, const production::FileStore& store, int64_t index);

// What was made, with files named as they were asked for: takes are recalled by these names, and name no path
// of a machine.
Recipe with_names_of(Recipe made, Recipe asked);

}  // namespace maquette::app
