// Progress of long work, and the way to stop it. Whoever does the work calls `report` at least once per step.
#pragma once

#include <functional>
#include <string_view>

namespace maquette {

struct ProgressReport {
  std::string_view phase;    // "loading", "encoding the prompt", "sampling", "decoding", "upscaling"
  int done = 0;              // steps finished in this phase
  int total = 0;             // steps of this phase; 0 where unknown
  int known = 0;             // of those finished, how many an earlier run did (diffusion/step_journal.h)
  double seconds_left = -1;  // estimate for the whole job; below 0 where there is none yet
};

// Returns false to cancel: the work then throws Error(cancelled) before its next step.
using ProgressCallback = std::function<bool(const ProgressReport&)>;

}  // namespace maquette
