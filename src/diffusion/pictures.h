// The pictures that a recipe names: files, and those that the caller holds in memory.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/recipe.h"
#include "media/image.h"

namespace maquette::diffusion {

// A path "memory:NAME" in a recipe means the picture held under that name, where one file could stand: init,
// mask, control picture, mask of a region.
using HeldPictures = std::map<std::string, media::Image8>;

class Pictures {
 public:
  explicit Pictures(const HeldPictures& held) : held_(held) {}

  static bool in_memory(const std::string& path) { return path.starts_with("memory:"); }

  // All throw Error(not_found) for a name that is not held, and what media::read_image says of files.
  media::Image read(const FileRef& file) const;
  media::Image read_mask(const FileRef& file) const;  // [H, W, 1], alpha over black
  // SHA-256 of the size and the bytes of a held picture.
  std::string hash(const std::string& path) const;

  // Throws Error(usage) where a picture was handed over that the recipe does not name.
  void require_all_used(const Recipe& recipe) const;

 private:
  const media::Image8& held(const std::string& path) const;

  const HeldPictures& held_;
};

}  // namespace maquette::diffusion
