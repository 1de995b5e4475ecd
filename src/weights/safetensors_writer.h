// Writing safetensors files (latents, converted weights).
#pragma once

#include <map>
#include <string>

#include "base/file.h"
#include "tensor/tensor.h"

namespace maquette::weights {

// Writes the tensors in the order of their names, each in its own element type, with the records as
// __metadata__ (left out where there are none). The data starts at a multiple of 64 bytes, so that readers
// may map it. The old file, if any, is replaced only by the whole new one; throws Error where the system
// refuses.
void write_safetensors(const fs::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace maquette::weights
