#include "tensor/memory.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <sys/mman.h>

namespace maquette {

void* allocate_memory(size_t bytes) {
  const bool huge = bytes >= 2 * kHugePage;
  void* data = nullptr;
  if (::posix_memalign(&data, huge ? kHugePage : kMemoryAlignment, std::max(bytes, kMemoryAlignment)) != 0) {
    throw std::bad_alloc();
  }
  // A wish: where it is not granted, small pages serve. The rest behind the last whole huge page stays small.
  if (huge) ::madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return data;
}

}  // namespace maquette
