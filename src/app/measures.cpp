#include "app/measures.h"

#include "media/mask_ops.h"
#include "media/tiling.h"

namespace maquette::app {

Measured measure(const diffusion::Picture& picture) {
  const Recipe& recipe = picture.recipe;
  Measured measured;
  if (recipe.tile_x || recipe.tile_y) {
    const media::TilingSeam seam = media::tiling_seam(picture.image8);
    if (recipe.tile_x) measured.measures.emplace_back("seam_x", seam.x.ratio);
    if (recipe.tile_y) measured.measures.emplace_back("seam_y", seam.y.ratio);
    measured.notes.push_back(fmt::format("seam x {:.2f}, y {:.2f} (1.0 is as smooth as the picture itself)",
                                         seam.x.ratio, seam.y.ratio));
  }
  if (picture.mask.pixels.defined()) {
    const media::SeamDrift drift =
        media::seam_drift(media::to_8bit(picture.original), picture.image8, picture.mask);
    measured.measures.emplace_back("drift_outside", drift.outside_levels);
    std::string note =
        fmt::format("at the mask's edge: kept pixels changed by {:.2f} levels", drift.outside_levels);
    // A new margin has no original to drift from.
    if (!recipe.outpaint.any()) {
      measured.measures.emplace_back("drift_inside", drift.inside_levels);
      measured.measures.emplace_back("drift_delta_e", drift.shift_delta_e);
      note += fmt::format(", colour drift {:.2f} dE", drift.shift_delta_e);
    }
    measured.notes.push_back(std::move(note));
  }
  return measured;
}

}  // namespace maquette::app
