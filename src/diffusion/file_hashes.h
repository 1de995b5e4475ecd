// The hashes of the files that a recipe names, remembered between recipes.
#pragma once

#include <map>
#include <string>

#include "base/recipe.h"

namespace maquette::diffusion {

class FileHashes {
 public:
  // Fills in the hashes that the recipe leaves open. Throws Error(refused) where a file is not the one whose
  // hash it names.
  void fill(Recipe& recipe);
  // SHA-256 of a file, or of the list of a folder's files.
  std::string of(const std::string& path);

 private:
  std::map<std::string, std::string> hashes_;  // by path, size and time
};

}  // namespace maquette::diffusion
