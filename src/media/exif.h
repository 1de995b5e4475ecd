// The few EXIF fields that pictures of this program carry, as blocks of bytes and inside JPEG, WebP and TIFF
// files.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "media/bytes.h"

namespace maquette::media {

struct ExifFields {
  std::optional<std::string> user_comment = {};  // 0x9286, UTF-8 here; UNICODE (UTF-16) in the file
  std::optional<std::string> recipe_json = {};   // 0x927c MakerNote: "maquette" NUL, then UTF-8
  std::string description = {};                  // 0x010e ImageDescription
  std::string artist = {};                       // 0x013b
  std::string copyright = {};                    // 0x8298
  std::string software = {};                     // 0x0131
};

// An EXIF block, which is a TIFF file without pixels: "MM", 42, ... Big-endian, because the tools that
// exchange generation parameters read the comment as UTF-16BE whatever the header says.
std::string build_exif(const ExifFields& fields);
Result<ExifFields> read_exif(Bytes block);

// Where a JPEG (APP1), WebP (EXIF chunk), PNG (eXIf chunk) or TIFF (the file itself) keeps its EXIF block.
Result<std::optional<Bytes>> find_exif(Bytes file);

// The file with these fields, any EXIF block that it had being replaced. A JPEG segment holds 65,533 bytes:
// more is an Error(usage) that says so.
std::string jpeg_with_exif(Bytes jpeg, const ExifFields& fields);
struct WebpCanvas {
  int64_t width = 0;
  int64_t height = 0;
  bool alpha = false;
};
std::string webp_with_exif(Bytes webp, const ExifFields& fields, const WebpCanvas& canvas);
// For TIFF also sets the resolution, and removes date, host and program names so that equal pictures are
// equal bytes.
std::string tiff_with_exif(std::string tiff, const ExifFields& fields, double dpi);

}  // namespace maquette::media
