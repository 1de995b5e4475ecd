// Giving back the memory of file pages that were read once and copied elsewhere.
#pragma once

#include <cstddef>
#include <span>

namespace maquette {

// If `part` lies in a MappedFile that is alive, its whole pages leave this process's memory; they come back
// from the file when they are read again, so nothing is lost. Bytes that lie elsewhere stay as they are.
void release_mapped_pages(std::span<const std::byte> part);

}  // namespace maquette
