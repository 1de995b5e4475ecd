// The layer part of Photoshop files: records of all layers, then their channels.
#pragma once

#include "media/layers/layered_picture.h"
#include "media/layers/psd_bytes.h"

namespace maquette::media {

// "Layer info" without its length. `transparent`: the merged picture has an alpha channel, which belongs to
// it.
void append_layer_info(PsdBytes& out, const LayeredPicture& picture, bool transparent);

}  // namespace maquette::media
