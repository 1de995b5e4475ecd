// Photoshop files (.psd, and .psb for large pictures): written for hand-over, with layers, groups, masks and
// a merged picture. Specification: "Adobe Photoshop File Formats Specification".
#pragma once

#include <string>

#include "base/file.h"
#include "media/layers/layered_picture.h"

namespace maquette::media {

// PSD ends at 30,000 pixels a side and 2 GiB; beyond that the file is a PSB ("large document").
bool needs_psb(const LayeredPicture& picture);

// RGB with the picture's bits for every layer, transparent where the merged picture is; sRGB profile,
// resolution, names in Unicode, RLE where it is smaller. Equal pictures give equal bytes.
std::string encode_psd(const LayeredPicture& picture);
// The extension must be .psb where needs_psb() says so, and may be .psb anyway; throws Error(usage)
// otherwise.
void write_psd(const fs::path& path, const LayeredPicture& picture);

}  // namespace maquette::media
