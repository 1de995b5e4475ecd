// Whether the tensors of a checkpoint make up the networks that this program builds.
#pragma once

#include <string>
#include <vector>

#include "weights/checkpoint.h"

namespace maquette::diffusion {

struct Fit {
  size_t matched = 0;
  std::vector<std::string> missing;  // the first of each network: what keeps it from being built
  std::vector<std::string> unused;   // tensors of a known network that nothing asked for
  std::string form;                  // of adapters: "12 layers: LoRA, norm"
};

// Builds every network of the checkpoint, reads adapters and words, and throws them away.
Fit check_fit(const weights::Checkpoint& checkpoint);

}  // namespace maquette::diffusion
