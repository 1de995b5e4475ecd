// Writing pictures through OpenImageIO into memory, adding the text that they carry, and then the file in one
// step.
//
// OpenImageIO puts a date into TIFF and OpenEXR files and cannot write text into PNG, JPEG and WebP as other
// tools expect it; both are settled on the encoded bytes (png_chunks.h, exif.h).
#include <OpenImageIO/imageio.h>
#include <algorithm>
#include <cmath>
#include <memory>

#include "media/color.h"
#include "media/exif.h"
#include "media/icc_profile.h"
#include "media/image_io.h"
#include "media/metadata_fields.h"
#include "media/oiio_memory.h"
#include "media/png_chunks.h"

namespace maquette::media {

namespace {

constexpr int64_t kMaxWebpSide = 16383;
constexpr int64_t kMaxJpegSide = 65500;

Error cannot_write(ErrorCode code, ImageFormat format, std::string_view found) {
  return Error(code, "cannot write the {} picture", name(format)).with("found", found);
}

// The bits that will be written; refuses what the format cannot hold.
int bits_of(const Image& image, ImageFormat format, const WriteOptions& options) {
  const bool exr = format == ImageFormat::exr;
  const bool deep_integers = format == ImageFormat::png || format == ImageFormat::tiff;
  const int bits = options.bits != 0 ? options.bits : exr ? 16 : 8;
  const bool fits = exr ? bits == 16 || bits == 32 : bits == 8 || (deep_integers && bits == 16);
  if (!fits) {
    throw cannot_write(ErrorCode::usage, format, fmt::format("{} bits", bits))
        .with("expected", exr             ? "16 or 32 bits"
                          : deep_integers ? "8 or 16 bits"
                                          : "8 bits");
  }
  if (format == ImageFormat::jpeg && image.channels() == 4) {
    throw cannot_write(ErrorCode::usage, format, "alpha").hint("write a PNG, or flatten the picture first");
  }
  const int64_t side = std::max(image.width(), image.height());
  if (side > (format == ImageFormat::webp ? kMaxWebpSide : kMaxJpegSide)) {
    throw cannot_write(ErrorCode::usage, format,
                       fmt::format("{} x {} pixels", image.width(), image.height()));
  }
  if (format == ImageFormat::bmp || format == ImageFormat::hdr) {
    throw cannot_write(ErrorCode::usage, format, "a format for reading only")
        .hint("write a PNG, TIFF or OpenEXR");
  }
  return bits;
}

// Values as they go into the file: integers rounded half to even, or linear light with alpha multiplied in.
template <typename T>
std::vector<T> levels_of(const Image& image, float maximum) {
  std::vector<T> levels(image.data().size());
  std::ranges::transform(image.data(), levels.begin(), [maximum](float v) {
    return static_cast<T>(std::nearbyint(std::clamp(v, 0.f, 1.f) * maximum));
  });
  return levels;
}

std::vector<float> linear_values(const Image& image) {
  std::vector<float> values(image.data().begin(), image.data().end());
  const auto channels = static_cast<size_t>(image.channels());
  for (size_t i = 0; i < values.size(); ++i) {
    if (channels == 4 && i % 4 == 3) continue;
    values[i] = srgb_to_linear(values[i]);
    if (channels == 4) values[i] *= values[i / 4 * 4 + 3];
  }
  return values;
}

OIIO::ImageSpec spec_of(const Image& image, ImageFormat format, int bits, const WriteOptions& options) {
  const bool exr = format == ImageFormat::exr;
  const OIIO::TypeDesc type = exr ? (bits == 16 ? OIIO::TypeDesc::HALF : OIIO::TypeDesc::FLOAT)
                                  : (bits == 16 ? OIIO::TypeDesc::UINT16 : OIIO::TypeDesc::UINT8);
  OIIO::ImageSpec spec(static_cast<int>(image.width()), static_cast<int>(image.height()),
                       static_cast<int>(image.channels()), type);
  // With a colour space named, OpenImageIO adds an EXIF directory to TIFF files and loses the pixels' own.
  if (format != ImageFormat::tiff) spec.attribute("oiio:ColorSpace", exr ? "Linear" : "sRGB");
  if (!exr) spec.attribute("oiio:UnassociatedAlpha", 1);
  if (format == ImageFormat::jpeg) {
    spec.attribute("Compression", fmt::format("jpeg:{}", options.quality));
    spec.attribute("jpeg:subsampling", "4:4:4");
  }
  if (format == ImageFormat::webp) spec.attribute("Compression", fmt::format("webp:{}", options.quality));
  if (format == ImageFormat::tiff || exr) spec.attribute("Compression", "zip");
  if (exr) {
    spec.attribute("chromaticities", OIIO::TypeDesc(OIIO::TypeDesc::FLOAT, 8), kRec709.data());
    spec.attribute("DateTime", "");  // empty is the only value that keeps the date of writing out
    if (options.metadata.parameters)
      spec.attribute(std::string(kParametersKeyword), *options.metadata.parameters);
    if (options.metadata.recipe_json)
      spec.attribute(std::string(kRecipeKeyword), *options.metadata.recipe_json);
    for (const auto& [keyword, text] : options.metadata.other) spec.attribute(keyword, text);
  }
  if (options.tag_srgb && (format == ImageFormat::jpeg || format == ImageFormat::tiff)) {
    const std::string& profile = srgb_icc_profile();
    const auto size = static_cast<int>(profile.size());
    spec.attribute("ICCProfile", OIIO::TypeDesc(OIIO::TypeDesc::UINT8, size), profile.data());
  }
  // TIFF's resolution is written with its other tags, in tiff_with_exif.
  if (options.dpi > 0 && format != ImageFormat::tiff) {
    spec.attribute("XResolution", static_cast<float>(options.dpi));
    spec.attribute("YResolution", static_cast<float>(options.dpi));
    spec.attribute("ResolutionUnit", "in");
  }
  return spec;
}

std::string encode_pixels(const Image& image, ImageFormat format, int bits, const WriteOptions& options) {
  constexpr const char* kPlugins[] = {"png", "jpeg", "tiff", "webp", "openexr"};
  const OIIO::ImageSpec spec = spec_of(image, format, bits, options);
  MemoryWriter memory;
  const std::unique_ptr<OIIO::ImageOutput> output =
      OIIO::ImageOutput::create(kPlugins[static_cast<size_t>(format)]);
  if (!output) throw cannot_write(ErrorCode::failed, format, "an OpenImageIO without this format");
  output->threads(1);
  const auto check = [&](bool done) {
    if (!done) throw cannot_write(ErrorCode::failed, format, output->geterror());
  };
  check(output->set_ioproxy(&memory) && output->open("memory", spec));
  if (format == ImageFormat::exr) {
    check(output->write_image(OIIO::TypeDesc::FLOAT, linear_values(image).data()));
  } else if (bits == 16) {
    check(output->write_image(OIIO::TypeDesc::UINT16, levels_of<uint16_t>(image, 65535.f).data()));
  } else {
    check(output->write_image(OIIO::TypeDesc::UINT8, levels_of<uint8_t>(image, 255.f).data()));
  }
  check(output->close());
  return memory.take();
}

std::vector<PngText> png_texts(const PictureMetadata& metadata) {
  std::vector<PngText> texts;
  if (metadata.parameters) texts.push_back({std::string(kParametersKeyword), *metadata.parameters});
  if (metadata.recipe_json) texts.push_back({std::string(kRecipeKeyword), *metadata.recipe_json});
  for (const auto& [keyword, text] : metadata.other) texts.push_back({keyword, text});
  return texts;
}

ExifFields exif_fields(const PictureMetadata& metadata, ImageFormat format) {
  ExifFields fields;
  fields.user_comment = metadata.parameters;
  fields.recipe_json = metadata.recipe_json;
  for (const auto& [keyword, text] : metadata.other) {
    const auto row = std::ranges::find(kExifKeywords, keyword, &ExifKeyword::keyword);
    if (row == kExifKeywords.end()) {
      throw cannot_write(ErrorCode::usage, format, fmt::format("a text named \"{}\"", keyword))
          .with("expected", "Description, Author, Copyright or Software")
          .hint("PNG and OpenEXR carry any name");
    }
    fields.*(row->field) = text;
  }
  return fields;
}

// Puts the text into the encoded file, each format in its own way.
std::string add_text(std::string file, const Image& image, ImageFormat format, const WriteOptions& options) {
  const PictureMetadata& metadata = options.metadata;
  switch (format) {
    case ImageFormat::png: return rewrite_png_text(as_bytes(file), png_texts(metadata)).take();
    case ImageFormat::tiff:
      return tiff_with_exif(std::move(file), exif_fields(metadata, format), options.dpi);
    case ImageFormat::jpeg:
      return metadata.empty() ? file : jpeg_with_exif(as_bytes(file), exif_fields(metadata, format));
    case ImageFormat::webp: {
      const WebpCanvas canvas{image.width(), image.height(), image.channels() == 4};
      return metadata.empty() ? file : webp_with_exif(as_bytes(file), exif_fields(metadata, format), canvas);
    }
    case ImageFormat::exr:
    case ImageFormat::bmp:
    case ImageFormat::hdr: break;
  }
  return file;
}

}  // namespace

std::string encode_image(const Image& image, ImageFormat format, const WriteOptions& options) {
  if (image.width() < 1 || image.height() < 1) throw cannot_write(ErrorCode::failed, format, "no pixels");
  const int bits = bits_of(image, format, options);
  const auto data = image.data();
  const auto bad = std::ranges::find_if(data, [](float v) { return !std::isfinite(v); });
  if (bad != data.end()) {
    const auto pixel = (bad - data.begin()) / image.channels();
    throw cannot_write(ErrorCode::failed, format,
                       fmt::format("{} at x {}, y {}", *bad, pixel % image.width(), pixel / image.width()))
        .hint("a network that overflowed makes such values: try a higher precision");
  }
  // WebP knows no grey.
  const Image written = format == ImageFormat::webp && image.channels() == 1 ? to_rgb(image) : image;
  return add_text(encode_pixels(written, format, bits, options), written, format, options);
}

void write_image(const fs::path& path, const Image& image, const WriteOptions& options) {
  const std::optional<ImageFormat> format = format_of_name(path);
  if (!format) {
    throw Error(ErrorCode::usage, "cannot tell the format of \"{}\"", path.string())
        .with("expected", "a name ending in .png, .jpg, .tif, .webp or .exr");
  }
  write_file_atomically(path, encode_image(image, *format, options));
}

void write_image(const fs::path& path, const Image8& image, const WriteOptions& options) {
  write_image(path, to_float(image), options);
}

}  // namespace maquette::media
