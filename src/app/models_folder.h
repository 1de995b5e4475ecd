// The models that come with Maquette, found by name wherever the program is installed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/recipe.h"

namespace maquette::app {

// Where models are looked for by name, in order: the folders of MAQUETTE_MODELS (with colons between), those
// of the installation that this code belongs to (share/maquette/models), those of the checkout that it was
// built in (models, build/models). Only folders that exist.
std::vector<std::filesystem::path> models_folders();

// The file or folder that `given` means. A path that exists is itself. A name ("starter", "esrgan-thick-x4",
// with or without .safetensors), also as the documents write it ("models/starter",
// "build/models/esrgan-thick-x4.safetensors") or an installation elsewhere
// (".../share/maquette/models/starter"), is looked for in `folders`. Other paths are returned as they are.
// Throws Error(not_found) saying where a name was looked for.
std::string find_model(const std::string& given, const std::vector<std::filesystem::path>& folders);
std::string find_model(const std::string& given);  // in models_folders()

// The recipe with its model, VAE and upscaler found.
Recipe with_models_found(Recipe recipe);

}  // namespace maquette::app
