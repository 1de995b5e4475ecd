// The assembler copies the files into the read-only data of this object. The paths are set by this folder's
// CMakeLists.txt.
#include "media/embedded_data.h"

asm(R"(
    .pushsection .rodata
    .globl maquette_ocio_config_begin
    .globl maquette_ocio_config_end
    .globl maquette_sheet_font_begin
    .globl maquette_sheet_font_end
maquette_ocio_config_begin:
    .incbin ")" MAQUETTE_OCIO_CONFIG R"("
maquette_ocio_config_end:
maquette_sheet_font_begin:
    .incbin ")" MAQUETTE_SHEET_FONT R"("
maquette_sheet_font_end:
    .popsection
)");

extern "C" {
extern const char maquette_ocio_config_begin[];
extern const char maquette_ocio_config_end[];
extern const char maquette_sheet_font_begin[];
extern const char maquette_sheet_font_end[];
}

namespace maquette::media {

std::string_view embedded_ocio_config() { return {maquette_ocio_config_begin, maquette_ocio_config_end}; }
std::string_view embedded_sheet_font() { return {maquette_sheet_font_begin, maquette_sheet_font_end}; }

}  // namespace maquette::media
