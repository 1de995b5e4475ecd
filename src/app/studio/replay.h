// Replay: paints a take again from its recorded recipe, and says whether the same picture came out.
#pragma once

#include "app/studio/studio.h"
#include "base/progress.h"

namespace maquette::app {

struct ReplayRequest {
  std::string take;           // reference or id
  std::filesystem::path out;  // where the new picture goes; empty: nowhere
  int threads = 0;            // 0: as the system says
  ProgressCallback progress;
};

// {take, same_bytes, same_pixels, pictures{psnr, max_difference, changed_share}, environment[{name, then,
// now}], file}. Bytes cover what the file says about itself, also where models and inputs lay; pixels are
// compared in 16 bits. The outcome is a line of the event log ("take:replay"). Throws Error(not_found): a
// take without a recipe, one that was purged, a model or an input that is gone; Error(conflict): a file that
// is another one now.
Json replay_take(Studio& studio, const production::Caller& caller, const ReplayRequest& request);

}  // namespace maquette::app
