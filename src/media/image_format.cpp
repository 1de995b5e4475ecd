// Signatures and header fields: PNG third edition 5.2 and 11.2.1; ITU-T T.81 B.2.2 (JPEG frame header); RFC
// 9649 (WebP); BITMAPINFOHEADER (BMP); OpenEXR file layout; TIFF 6.0 section 2; Radiance picture format.
#include "media/image_format.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/text.h"
#include "media/exr_header.h"
#include "media/png_chunks.h"
#include "media/tiff_directory.h"

namespace maquette::media {

namespace {

struct FormatRow {
  ImageFormat format;
  std::string_view name;
  std::string_view extensions;  // each between commas
};

constexpr std::array<FormatRow, 7> kFormats = {{
    {ImageFormat::png, "PNG", ",png,"},
    {ImageFormat::jpeg, "JPEG", ",jpg,jpeg,"},
    {ImageFormat::tiff, "TIFF", ",tif,tiff,"},
    {ImageFormat::webp, "WebP", ",webp,"},
    {ImageFormat::exr, "OpenEXR", ",exr,"},
    {ImageFormat::bmp, "BMP", ",bmp,"},
    {ImageFormat::hdr, "Radiance HDR", ",hdr,"},
}};

struct Size {
  int64_t width = 0;
  int64_t height = 0;
};

Error damaged(ImageFormat format, std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the {} picture", name(format)).with("found", found);
}

std::optional<Size> bmp_size(Bytes file) {
  const auto width = read_number<uint32_t>(file, 18, Endian::little);
  const auto height = read_number<uint32_t>(file, 22, Endian::little);
  if (!height) return std::nullopt;
  // The OS/2 1.x header, 12 bytes long, has 16-bit sizes; a negative height means that the top row comes
  // first.
  if (read_number<uint32_t>(file, 14, Endian::little) == 12u) return Size{*width & 0xffff, *width >> 16};
  return Size{*width, std::abs(int64_t{static_cast<int32_t>(*height)})};
}

std::optional<Size> webp_size(Bytes file) {
  const std::string_view kind = as_text(file).substr(0, 16).substr(12);
  if (kind == "VP8 ") {
    const auto width = read_number<uint16_t>(file, 26, Endian::little);
    const auto height = read_number<uint16_t>(file, 28, Endian::little);
    if (height) return Size{*width & 0x3fff, *height & 0x3fff};
  } else if (kind == "VP8L") {
    const auto bits = read_number<uint32_t>(file, 21, Endian::little);
    if (bits) return Size{(*bits & 0x3fff) + 1, (*bits >> 14 & 0x3fff) + 1};
  } else if (kind == "VP8X") {
    const auto low = read_number<uint64_t>(file, 22, Endian::little);  // two bytes before the 24-bit fields
    if (low)
      return Size{static_cast<int64_t>(*low >> 16 & 0xffffff) + 1, static_cast<int64_t>(*low >> 40) + 1};
  }
  return std::nullopt;
}

// Finds the frame header (SOF0 to SOF15 without DHT, JPG and DAC) among the segments.
std::optional<Size> jpeg_size(Bytes file) {
  for (size_t at = 2;;) {
    const auto lead = read_number<uint8_t>(file, at, Endian::big);
    const auto marker = read_number<uint8_t>(file, at + 1, Endian::big);
    if (!marker || *lead != 0xff || *marker == 0xda) return std::nullopt;
    if (*marker == 0xff) {
      ++at;
      continue;
    }
    const auto length = read_number<uint16_t>(file, at + 2, Endian::big);
    if (!length || *length < 2) return std::nullopt;
    if ((*marker & 0xf0) == 0xc0 && *marker != 0xc4 && *marker != 0xc8 && *marker != 0xcc) {
      const auto height = read_number<uint16_t>(file, at + 5, Endian::big);
      const auto width = read_number<uint16_t>(file, at + 7, Endian::big);
      return width ? std::optional(Size{*width, *height}) : std::nullopt;
    }
    at += 2 + size_t{*length};
  }
}

// Every row of a PNG takes a filter byte and its pixels, and deflate makes at most 1,032 bytes of one.
std::optional<Error> check_png(Bytes file, const ImageLimits& limits) {
  const auto width = read_number<uint32_t>(file, 16, Endian::big);
  const auto height = read_number<uint32_t>(file, 20, Endian::big);
  const auto depth = read_number<uint8_t>(file, 24, Endian::big);
  const auto colour = read_number<uint8_t>(file, 25, Endian::big);
  if (!colour || as_text(file).substr(12, 4) != "IHDR") return damaged(ImageFormat::png, "no header");
  if (auto error = check_size(*width, *height, 4, limits)) return error;
  constexpr std::array<uint64_t, 7> kSamples = {1, 0, 3, 1, 2, 0, 4};
  const uint64_t samples = *colour < kSamples.size() ? kSamples[*colour] : 0;
  if (samples == 0) return damaged(ImageFormat::png, fmt::format("colour type {}", *colour));
  const uint64_t needed = *height * ((*width * samples * *depth + 7) / 8);
  if (needed / 1032 > file.size()) {
    return damaged(ImageFormat::png,
                   fmt::format("{} bytes for {} x {} pixels", file.size(), *width, *height));
  }
  // A file that was cut off is told by its chunks; the codec would print to standard error on its own.
  const Result<std::vector<PngChunk>> chunks = read_png_chunks(file);
  if (!chunks) return chunks.error();
  return std::nullopt;
}

std::optional<Error> check_jpeg(Bytes file, const ImageLimits& limits) {
  const std::optional<Size> size = jpeg_size(file);
  if (!size) return damaged(ImageFormat::jpeg, "no frame header");
  if (auto error = check_size(size->width, size->height, 4, limits)) return error;
  // The decoder paints what is missing grey and only warns; a picture that was cut off is refused instead.
  if (as_text(file).rfind("\xff\xd9") == std::string_view::npos) {
    return damaged(ImageFormat::jpeg, "a file that was cut off: no end marker");
  }
  return std::nullopt;
}

// The first value of a numeric tag, or `otherwise` where the tag is missing.
uint64_t tiff_value(const std::vector<TiffEntry>& entries, uint16_t tag, Endian endian, uint64_t otherwise) {
  const auto entry = std::ranges::find(entries, tag, &TiffEntry::tag);
  if (entry == entries.end()) return otherwise;
  if (entry->type == 3) return read_number<uint16_t>(as_bytes(entry->value), 0, endian).value_or(0);
  if (entry->type == 4) return read_number<uint32_t>(as_bytes(entry->value), 0, endian).value_or(0);
  return entry->value.empty() ? 0 : static_cast<uint8_t>(entry->value[0]);
}

// The decoder takes memory for a whole strip or tile, whatever the size of the picture: 2^32 - 1 rows a strip
// mean one strip for all and are harmless, other values far beyond the picture are not.
std::optional<Error> check_tiff(Bytes file, const ImageLimits& limits) {
  const Result<TiffHeader> header = read_tiff_header(file);
  if (!header) return header.error();
  const auto entries = read_tiff_directory(file, header->first_directory, header->endian);
  if (!entries) return entries.error();
  const auto value = [&](uint16_t tag, uint64_t otherwise) {
    return static_cast<int64_t>(tiff_value(*entries, tag, header->endian, otherwise));
  };
  const int64_t width = value(256, 0);
  const int64_t height = value(257, 0);
  if (auto error = check_size(width, height, value(277, 1), limits)) return error;
  constexpr int64_t kAllRows = 0xffffffff;
  const int64_t rows = value(278, kAllRows);
  if (rows != kAllRows && rows > std::max<int64_t>(height, 65536)) {
    return damaged(ImageFormat::tiff, fmt::format("strips of {} rows", rows));
  }
  const int64_t tile_width = value(322, 1);
  const int64_t tile_height = value(323, 1);
  if (auto error = check_size(tile_width, tile_height, 1, {})) return error;
  return std::nullopt;
}

}  // namespace

std::string_view name(ImageFormat format) {
  for (const FormatRow& row : kFormats) {
    if (row.format == format) return row.name;
  }
  return "?";
}

std::optional<ImageFormat> detect_format(Bytes file) {
  const std::string_view text = as_text(file);
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return ImageFormat::png;
  if (text.starts_with("\xff\xd8\xff")) return ImageFormat::jpeg;
  if (text.starts_with(std::string_view("II*\0", 4)) || text.starts_with(std::string_view("MM\0*", 4))) {
    return ImageFormat::tiff;
  }
  if (text.starts_with("RIFF") && text.size() >= 16 && text.substr(8, 4) == "WEBP") return ImageFormat::webp;
  if (text.starts_with("\x76\x2f\x31\x01")) return ImageFormat::exr;
  if (text.starts_with("BM") && text.size() >= 26) return ImageFormat::bmp;
  if (text.starts_with("#?RADIANCE") || text.starts_with("#?RGBE")) return ImageFormat::hdr;
  return std::nullopt;
}

std::optional<ImageFormat> format_of_name(const fs::path& path) {
  const std::string extension = lower_ascii(path.extension().string());
  if (extension.size() < 2) return std::nullopt;
  const std::string wanted = fmt::format(",{},", extension.substr(1));
  for (const FormatRow& row : kFormats) {
    if (row.extensions.find(wanted) != std::string_view::npos) return row.format;
  }
  return std::nullopt;
}

std::optional<Error> check_size(int64_t width, int64_t height, int64_t channels, const ImageLimits& limits) {
  const bool fits = width >= 1 && height >= 1 && width <= limits.side && height <= limits.side &&
                    width * height <= limits.pixels && channels >= 1 && channels <= limits.channels &&
                    width * height * channels <= limits.samples;
  if (fits) return std::nullopt;
  return Error(ErrorCode::bad_file, "cannot read a picture of this size")
      .with("found", fmt::format("{} x {} pixels, {} channels", width, height, channels))
      .with("expected", fmt::format("at most {} a side, {} pixels, {} channels", limits.side, limits.pixels,
                                    limits.channels));
}

std::optional<Error> check_header(Bytes file, ImageFormat format, const ImageLimits& limits) {
  std::optional<Size> size;
  switch (format) {
    case ImageFormat::png: return check_png(file, limits);
    case ImageFormat::jpeg: return check_jpeg(file, limits);
    case ImageFormat::webp: size = webp_size(file); break;
    case ImageFormat::bmp: size = bmp_size(file); break;
    case ImageFormat::tiff: return check_tiff(file, limits);
    case ImageFormat::exr: return check_exr(file, limits);
    case ImageFormat::hdr: return std::nullopt;
  }
  if (!size) return damaged(format, "no header");
  return check_size(size->width, size->height, 4, limits);
}

}  // namespace maquette::media
