// Which picture format a file has, by its first bytes or by its name, and how large its header says it is.
#pragma once

#include <optional>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "media/bytes.h"

namespace maquette::media {

enum class ImageFormat { png, jpeg, tiff, webp, exr, bmp, hdr };

std::string_view name(ImageFormat format);                        // "PNG", "OpenEXR", ...
std::optional<ImageFormat> detect_format(Bytes file);             // by signature
std::optional<ImageFormat> format_of_name(const fs::path& path);  // by extension, upper or lower case

// Formats whose 8- and 16-bit values are display-referred are taken as sRGB; floating-point ones as linear
// Rec.709.
struct ImageLimits {
  int64_t side = 32768;
  int64_t pixels = int64_t{256} << 20;
  int64_t channels = 64;                // OpenEXR files of several layers have many
  int64_t samples = int64_t{16} << 30;  // pixels times channels
};

// Refuses a size outside the limits; the message says what was found and what is allowed.
std::optional<Error> check_size(int64_t width, int64_t height, int64_t channels, const ImageLimits& limits);

// Looks at the header alone, before any decoder allocates: refuses what check_size refuses, PNG files too
// short for their pixels (deflate cannot expand more than 1,032 times) or with damaged chunks, JPEG files
// without an end, TIFF files of absurd strips or tiles, OpenEXR files whose header promises more than there
// is. Passes Radiance HDR, whose decoder reads nothing but the header when it opens a file: check that after
// opening.
std::optional<Error> check_header(Bytes file, ImageFormat format, const ImageLimits& limits);

}  // namespace maquette::media
