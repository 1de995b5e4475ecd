// Work on finished pictures without a model of the diffusion family: upscaling, control pictures.
#pragma once

#include <filesystem>
#include <string>

#include "base/progress.h"

namespace maquette::app {

struct UpscaleRequest {
  std::filesystem::path picture;
  std::filesystem::path model;
  std::filesystem::path out;
  bool tile_x = false;  // the picture is a texture: edges meet
  bool tile_y = false;
  ProgressCallback progress;
};
void upscale_picture(const UpscaleRequest& request);

// kind: canny, lineart, scribble or invert.
void preprocess_picture(const std::string& kind, const std::filesystem::path& picture,
                        const std::filesystem::path& out);

}  // namespace maquette::app
