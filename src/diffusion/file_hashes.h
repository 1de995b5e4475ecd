// The hashes of the files that a recipe names, remembered between recipes.
#pragma once

#include <map>
#include <string>

#include "base/recipe.h"
#include "diffusion/pictures.h"

namespace maquette::diffusion {

// Hashing a checkpoint takes seconds, so those of large files are also kept on disk (cache_folder.h), by
// path, size and time of the last change. A recipe that names the hash it wants is never answered from there:
// the file is read.
class FileHashes {
 public:
  // Fills in the hashes that the recipe leaves open. Throws Error(refused) where a file is not the one whose
  // hash it names.
  void fill(Recipe& recipe, const Pictures& pictures);
  // SHA-256 of a file, or of the list of a folder's files; with `read`, of what is there now.
  std::string of(const std::string& path, bool read = false);

 private:
  std::string of_file(const std::string& path, bool read);
  void remember();

  // By path, size and time.
  std::map<std::string, std::string> read_;  // by this process
  std::map<std::string, std::string> kept_;  // on disk
  bool loaded_ = false;
};

}  // namespace maquette::diffusion
