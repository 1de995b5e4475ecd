// Invisible watermarks of picture files: written, and looked for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "watermark/known_marks.h"

namespace maquette::app {

struct WatermarkAdded {
  std::string text;
  double psnr = 0;  // decibels, of 8-bit values; infinite where nothing had to change
  int bits = 8;     // of the file's channels, 8 or 16, as they were
};
// The mark is looked for in what was written before the file is kept for good: throws Error(failed) where it
// cannot be read there, and then there is no file. Throws Error(usage) for pictures of linear light (OpenEXR,
// Radiance HDR), which have no 8-bit values, for JPEG and WebP pictures as `out` with alpha, and for texts of
// more than 32 bytes. The text that the picture carries is kept.
WatermarkAdded add_watermark(const std::filesystem::path& picture, const std::filesystem::path& out,
                             const std::string& text);

struct WatermarkRead {
  std::vector<watermark::Recognised> known;  // the surest first
  std::optional<std::string> text;           // bytes as they were read; where a length was asked for
  double agreement = 0;                      // of the blocks about `text`
};
WatermarkRead read_watermark(const std::filesystem::path& picture, std::optional<size_t> bytes);

}  // namespace maquette::app
