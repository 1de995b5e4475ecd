// Memory for tensors: aligned, and on huge pages where it is large.
#pragma once

#include <cstddef>

namespace maquette {

constexpr size_t kMemoryAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;  // of x86-64

// Uninitialised, aligned to kMemoryAlignment, to be freed with std::free. From two huge pages on the memory
// lies on them where the system allows it: the first touch of a picture-sized buffer otherwise costs more
// than the convolution that fills it (one page fault for every 4 KiB). Throws std::bad_alloc.
void* allocate_memory(size_t bytes);

}  // namespace maquette
