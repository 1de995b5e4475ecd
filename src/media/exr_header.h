// The header of an OpenEXR file, read without the library: its attributes, and whether their sizes can be
// believed.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "media/bytes.h"
#include "media/image_format.h"

namespace maquette::media {

struct ExrAttribute {
  std::string_view name;
  std::string_view type;
  Bytes value;
};
using ExrPart = std::vector<ExrAttribute>;

// The attributes of every part, in the order of the file. Refuses values that leave the file, more than 4,096
// attributes and more than 256 parts.
Result<std::vector<ExrPart>> read_exr_header(Bytes file);

// Refuses windows, channel counts and tiles outside the limits, offset tables that the file is too short for,
// and previews that are not as large as they say: the decoder takes memory for all of them before it reads
// on.
std::optional<Error> check_exr(Bytes file, const ImageLimits& limits);

}  // namespace maquette::media
