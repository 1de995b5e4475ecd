// Files that were assembled into the program, so that it needs none beside it when it runs.
#pragma once

#include <string_view>

namespace maquette::media {

std::string_view embedded_ocio_config();  // data/color/maquette.ocio
std::string_view embedded_sheet_font();   // DejaVu Sans, TrueType

}  // namespace maquette::media
