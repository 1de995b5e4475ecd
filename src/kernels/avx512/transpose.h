// Sixteen rows of sixteen steps (four bytes each) turned into sixteen steps of sixteen rows, as panels have
// them.
#pragma once

#include <cstdint>

namespace maquette::kernels::avx512 {

// rows: sixteen addresses, 64 bytes are read at each; step i is written to out + i * pitch. Needs AVX-512F.
void transpose_steps(const void* const* rows, uint32_t* out, int64_t pitch);

}  // namespace maquette::kernels::avx512
