// Left-overs: what a killed server, queue or worker left beside the work; swept when the next one starts.
#pragma once

#include "app/studio/studio.h"

namespace maquette::app {

// Temporary files whose process is gone, in the spool and the shows' folders; pictures and journals in the
// spool that no open job needs. What others are at work on stays.
void remove_left_overs(Studio& studio);

}  // namespace maquette::app
