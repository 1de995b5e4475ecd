// OpenRaster files (.ora): layers as PNG pictures in a zip archive, read and written by Krita, GIMP, MyPaint
// and others. Specification: openraster.org, "baseline".
#pragma once

#include <string>
#include <vector>

#include "media/image_format.h"
#include "media/layers/layered_picture.h"
#include "media/picture_metadata.h"
#include "media/zip_archive.h"

namespace maquette::media {

// The whole file. Equal pictures give equal bytes. `metadata` is carried by the merged picture inside.
//
// OpenRaster has no masks. A layer with a mask becomes three: the layer with the mask applied, and two hidden
// ones below it, "NAME (without mask)" and "NAME (mask)". A group with a mask becomes its merged picture with
// the mask applied, and the hidden group "NAME (without mask)" and "NAME (mask)".
std::string encode_openraster(const LayeredPicture& picture, const PictureMetadata& metadata = {});
void write_openraster(const fs::path& path, const LayeredPicture& picture,
                      const PictureMetadata& metadata = {});

struct OpenRasterLimits {
  ZipLimits zip = {};
  ImageLimits layer = {};                   // size of the canvas and of one layer
  int64_t all_pixels = int64_t{512} << 20;  // of all layers together
};

struct OpenRasterPicture {
  LayeredPicture picture;
  std::vector<std::string> notes;  // what has no counterpart here and was left out or changed, a line each
};

Result<OpenRasterPicture> decode_openraster(Bytes file, const OpenRasterLimits& limits = {});
Result<OpenRasterPicture> read_openraster(const fs::path& path, const OpenRasterLimits& limits = {});

}  // namespace maquette::media
