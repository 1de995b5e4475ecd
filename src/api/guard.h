// The border of the library: behind it maquette::Error, in front of it maquette::api::Error.
#pragma once

#include <utility>

#include "base/error.h"
#include "maquette/maquette.h"

namespace maquette::api {

Error public_error(const maquette::Error& error);
// Called inside a handler: throws what is being handled again, as the public type.
[[noreturn]] void throw_public_error();

// Runs what may throw anything of the program; throws only the public type.
template <typename Body>
auto guarded(Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    throw_public_error();
  }
}

}  // namespace maquette::api
