// Pictures as compositing takes them: scene-linear OpenEXR, converted through OpenColorIO and tagged with the
// space that they are in.
#pragma once

#include <string>

#include "media/color_config.h"
#include "media/image.h"
#include "media/picture_metadata.h"

namespace maquette::media {

// Pixels of the picture that lie outside the frame.
struct Overscan {
  int left = 0;
  int top = 0;
  int right = 0;
  int bottom = 0;
};

struct ExrDelivery {
  const ColorConfig* config = nullptr;  // nothing: the built-in one
  std::string from = {};                // space of the picture; empty: the configuration's sRGB texture space
  std::string to = "scene_linear";      // name, alias or role
  Overscan overscan = {};  // the display window is the picture without it, the data window all of it
  // Attributes where the space has a public name (ColorConfig::identity). The draft recommendation for
  // colorInteropID asks not to write chromaticities beside it; most readers know chromaticities only, so both
  // are written by default.
  bool chromaticities = true;
  bool interop_id = true;  // "unknown" for a space without a public name
  PictureMetadata metadata = {};
};

// Half floats, ZIP. `picture` is encoded as `from` says, alpha straight; alpha is multiplied in after the
// conversion. Equal pictures give equal bytes. Throws Error(usage) for an overscan that leaves no frame,
// unknown spaces, and Error(failed) for NaN or infinite pixels.
std::string encode_exr_delivery(const Image& picture, const ExrDelivery& delivery = {});
void write_exr_delivery(const fs::path& path, const Image& picture, const ExrDelivery& delivery = {});

}  // namespace maquette::media
