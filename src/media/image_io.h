// Picture files: PNG, JPEG, TIFF, WebP, OpenEXR, BMP and Radiance HDR in; PNG, JPEG, TIFF, WebP and OpenEXR
// out.
//
// Reading: the format is told by the first bytes, never by the name. Sizes are checked before anything is
// allocated. EXIF orientation is applied, palettes and grey with alpha are expanded, alpha is kept
// (straight), the first three or four channels are taken. Embedded colour profiles (ICC) are not applied.
// Writing: atomic, and equal pictures with equal options give equal bytes (no dates, no host names).
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "media/image.h"
#include "media/image_format.h"
#include "media/picture_metadata.h"

namespace maquette::media {

// What floating-point files (OpenEXR, HDR, float TIFF), which hold linear light, are turned into.
enum class FloatValues {
  srgb,   // sRGB-encoded and clamped to 0..1, as integer files are
  stored  // left as they are: for depth maps and other data
};

struct ReadOptions {
  FloatValues float_values = FloatValues::srgb;
  ImageLimits limits = {};
};

// NaN in a floating-point file is an error.
Result<Image> read_image(const fs::path& path, const ReadOptions& options = {});
Result<Image> decode_image(Bytes file, const ReadOptions& options = {});

// The same in 8 bits: equal to to_8bit(decode_image(...)), several times as fast for files of 8 bits.
Result<Image8> decode_image8(Bytes file, const ReadOptions& options = {});

struct WriteOptions {
  int bits = 0;      // PNG and TIFF: 8 or 16. OpenEXR: 16 (half) or 32. JPEG and WebP: 8. 0: 8, OpenEXR 16
  int quality = 95;  // JPEG and WebP (both lossy), 1 to 100
  double dpi = 0;    // 0: none
  // JPEG and TIFF: the sRGB profile goes into the file, so that no reader has to guess. PNG always says sRGB.
  bool tag_srgb = false;
  PictureMetadata metadata = {};
};

// The extension of `path` chooses the format. OpenEXR gets linear light: the sRGB curve is undone, alpha is
// multiplied in, and the primaries (Rec.709) are written. Throws Error(usage) for what a format cannot hold
// (alpha in JPEG, 16 bits in WebP), Error(failed) for NaN or infinite pixels, or where the system refuses.
void write_image(const fs::path& path, const Image& image, const WriteOptions& options = {});
void write_image(const fs::path& path, const Image8& image, const WriteOptions& options = {});
std::string encode_image(const Image& image, ImageFormat format, const WriteOptions& options = {});

}  // namespace maquette::media
