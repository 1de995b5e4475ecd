// Dialect: whose meaning the words and numbers of a job have, so that its pictures equal those made there.
#pragma once

#include <string_view>

namespace maquette {

// Emphasis, empty negatives, noise scale, spacing (docs/dialects.md).
enum class Dialect { diffusers, a1111, comfy };

std::string_view name(Dialect dialect);
Dialect parse_dialect(std::string_view text);  // throws Error(usage) naming the choices

}  // namespace maquette
