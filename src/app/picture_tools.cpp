#include "app/picture_tools.h"

#include <algorithm>

#include "app/kernel_table.h"
#include "app/models_folder.h"
#include "diffusion/preprocess.h"
#include "media/image_io.h"
#include "models/upscaler/upscaler.h"

namespace maquette::app {

void upscale_picture(const UpscaleRequest& request) {
  use_kernel_table();
  const media::Image picture = media::to_rgb(media::read_image(request.picture).take());
  const models::Upscaler upscaler = models::Upscaler::load(find_model(request.model));
  kernels::Exec ex;
  ex.wrap = {.x = request.tile_x, .y = request.tile_y};
  const Tensor large =
      models::upscale_tiled(ex, upscaler, media::to_unit_tensor(picture), {.progress = request.progress});
  media::write_image(request.out, media::image_from_unit_tensor(large));
}

void preprocess_picture(const std::string& kind, const std::filesystem::path& picture,
                        const std::filesystem::path& out) {
  const media::Image8 image = media::to_8bit(media::to_rgb(media::read_image(picture).take()));
  media::write_image(out, diffusion::control_picture(kind, image));
}

}  // namespace maquette::app
