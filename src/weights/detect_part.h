// The family that a file without a UNet was made for: a ControlNet, an adapter, a text encoder, new words.
#pragma once

#include <string>

#include "weights/detect.h"

namespace maquette::weights {

struct PartFamily {
  Family family = Family::unknown;
  std::string reason;  // never empty
};

// By the width of the text that its attentions listen to (768 SD1, 1024 SD2, 2048 SDXL, 1280 its refiner), or
// by the text encoders that it changes. VAEs, upscalers and T2I-Adapters have no such sign.
PartFamily family_of_part(const Component& component);

}  // namespace maquette::weights
