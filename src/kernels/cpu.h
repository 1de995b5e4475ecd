// What this processor can do.
#pragma once

#include <string>

namespace maquette::kernels {

struct Cpu {
  std::string name;     // as the processor calls itself
  bool avx512 = false;  // F, BW, DQ and VL
  bool avx512_bf16 = false;
  bool amx_bf16 = false;  // and the system lets this process use the tiles
};

const Cpu& cpu();

}  // namespace maquette::kernels
