// The CLIP merge list (data/clip/merges.txt) as it was assembled into the program.
#pragma once

#include <string_view>

namespace maquette::text {

std::string_view embedded_merges();

}  // namespace maquette::text
