// What this processor can do.
#pragma once

#include <string>
#include <string_view>

namespace maquette::kernels {

struct Cpu {
  std::string name;     // as the processor calls itself
  bool avx512 = false;  // F, BW, DQ and VL
  bool avx512_bf16 = false;
  bool amx_bf16 = false;  // and the system lets this process use the tiles
};

const Cpu& cpu();

std::string_view instruction_set();  // the best that the kernels use, as pictures record it: "amx-bf16"

}  // namespace maquette::kernels
