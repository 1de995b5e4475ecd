// A drawing of a review as the mask of the next take: what was circled is what is painted anew.
#pragma once

#include "base/json.h"
#include "media/image.h"

namespace maquette::app {

struct MaskFromDrawing {
  int64_t width = 0;  // pixels of the take
  int64_t height = 0;
  int grow = 0;     // pixels
  int feather = 0;  // pixels of the soft edge
};

// White where a shape encloses the picture (rectangles, ellipses, and paths whose ends meet) and under the
// line of everything else; strokes as production/review.h describes them. Text does not count. Throws
// Error(usage) for a drawing that covers nothing.
media::Image mask_from_drawing(const Json& drawing, const MaskFromDrawing& wanted);

}  // namespace maquette::app
