#include "diffusion/cache_folder.h"

#include <cstdlib>

namespace maquette::diffusion {

fs::path cache_folder() {
  if (const char* folder = std::getenv("MAQUETTE_CACHE")) return folder;
  if (const char* folder = std::getenv("XDG_CACHE_HOME")) return fs::path(folder) / "maquette";
  if (const char* home = std::getenv("HOME")) return fs::path(home) / ".cache" / "maquette";
  return {};
}

}  // namespace maquette::diffusion
