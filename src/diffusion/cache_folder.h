// Where the program keeps what it found out and can find out again: hashes of files, measured kernels.
#pragma once

#include "base/file.h"

namespace maquette::diffusion {

// MAQUETTE_CACHE, otherwise maquette/ in XDG_CACHE_HOME or ~/.cache; empty where none of them is known. It
// need not exist yet.
fs::path cache_folder();

}  // namespace maquette::diffusion
