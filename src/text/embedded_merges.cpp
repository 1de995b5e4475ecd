// The assembler copies the file into the read-only data of this object: no generated source of half a
// megabyte has to be compiled. MAQUETTE_CLIP_MERGES is set by this folder's CMakeLists.txt.
#include "text/embedded_merges.h"

asm(R"(
    .pushsection .rodata
    .globl maquette_clip_merges_begin
    .globl maquette_clip_merges_end
maquette_clip_merges_begin:
    .incbin ")" MAQUETTE_CLIP_MERGES R"("
maquette_clip_merges_end:
    .popsection
)");

extern "C" {
extern const char maquette_clip_merges_begin[];
extern const char maquette_clip_merges_end[];
}

namespace maquette::text {

std::string_view embedded_merges() { return {maquette_clip_merges_begin, maquette_clip_merges_end}; }

}  // namespace maquette::text
