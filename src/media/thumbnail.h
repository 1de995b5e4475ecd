// Small pictures for boards and lists.
#pragma once

#include <string>

#include "base/result.h"
#include "media/image_io.h"

namespace maquette::media {

struct ThumbnailOptions {
  int longest_side = 384;   // pixels; pictures that are smaller keep their size
  int quality = 85;         // JPEG, 1 to 100
  uint8_t background = 60;  // grey level, sRGB-encoded, behind what is transparent
};

struct Thumbnail {
  std::string jpeg;
  int64_t width = 0;
  int64_t height = 0;
  int64_t full_width = 0;  // of the picture that it was made from
  int64_t full_height = 0;
};

// Every pixel of the thumbnail is the mean light of the area under it (exact area weights, linear light), so
// that fine lines and grain keep their brightness. Throws Error(usage) for sides below 1.
Thumbnail make_thumbnail(const Image8& picture, const ThumbnailOptions& options = {});
// Of a picture file in any format of image_io.h.
Result<Thumbnail> make_thumbnail(Bytes file, const ThumbnailOptions& options = {},
                                 const ReadOptions& reading = {});

// The reduction alone: RGB, or grey for a grey picture.
Image8 reduce_area(const Image8& picture, int64_t height, int64_t width, uint8_t background);

}  // namespace maquette::media
