// "Technical Introduction to OpenEXR": the data window is the rectangle of pixels that are stored, the
// display window the frame; both in one coordinate system, here with the frame's upper left corner at 0, 0.
// Attributes: Color Interop Forum, "ColorInteropID" 1.0.0 and "OpenEXR files" (draft).
#include "media/exr_delivery.h"

#include <OpenImageIO/imageio.h>
#include <algorithm>
#include <cmath>
#include <memory>

#include "media/metadata_fields.h"
#include "media/oiio_memory.h"

namespace maquette::media {

namespace {

Error cannot_write(ErrorCode code, std::string_view found) {
  return Error(code, "cannot write the OpenEXR delivery").with("found", found);
}

void check(const Image& picture, const Overscan& overscan) {
  for (const int margin : {overscan.left, overscan.top, overscan.right, overscan.bottom}) {
    if (margin < 0) throw cannot_write(ErrorCode::usage, "an overscan below 0");
  }
  const int64_t width = picture.width() - overscan.left - overscan.right;
  const int64_t height = picture.height() - overscan.top - overscan.bottom;
  if (width < 1 || height < 1) {
    throw cannot_write(ErrorCode::usage, fmt::format("a frame of {} x {} pixels", width, height))
        .hint("the overscan is larger than the picture");
  }
  if (!std::ranges::all_of(picture.data(), [](float v) { return std::isfinite(v); }))
    throw cannot_write(ErrorCode::failed, "NaN or infinite pixels");
}

std::string texture_space(const ColorConfig& config) {
  if (auto space = config.texture_space()) return *space;
  throw cannot_write(ErrorCode::usage, "a colour configuration without an sRGB texture space")
      .hint("name the space that painted pictures are in");
}

// Converted colours, alpha multiplied in.
std::vector<float> linear_values(const Image& picture, const ColorConfig& config,
                                 const ExrDelivery& delivery) {
  // A grey picture becomes RGB: another space's white may not have three equal numbers.
  const Image colours = picture.channels() == 1 ? to_rgb(picture) : picture;
  std::vector<float> values(colours.data().begin(), colours.data().end());
  const int channels = static_cast<int>(colours.channels());
  config.convert(values, channels, delivery.from.empty() ? texture_space(config) : delivery.from,
                 delivery.to);
  for (size_t i = 0; channels == 4 && i < values.size(); i += 4) {
    for (size_t c = 0; c < 3; ++c) values[i + c] *= values[i + 3];
  }
  return values;
}

void tag_space(OIIO::ImageSpec& spec, const ColorConfig& config, const ExrDelivery& delivery) {
  const std::optional<ColorIdentity> identity = config.identity(delivery.to);
  if (identity && delivery.chromaticities) {
    spec.attribute("chromaticities", OIIO::TypeDesc(OIIO::TypeDesc::FLOAT, 8),
                   identity->chromaticities.data());
  }
  if (delivery.interop_id) spec.attribute("colorInteropID", identity ? identity->interop_id : "unknown");
}

OIIO::ImageSpec spec_of(const Image& picture, const ColorConfig& config, const ExrDelivery& delivery) {
  const Overscan& overscan = delivery.overscan;
  const auto width = static_cast<int>(picture.width());
  const auto height = static_cast<int>(picture.height());
  OIIO::ImageSpec spec(width, height, picture.channels() == 4 ? 4 : 3, OIIO::TypeDesc::HALF);
  spec.x = -overscan.left;
  spec.y = -overscan.top;
  spec.full_x = spec.full_y = 0;
  spec.full_width = width - overscan.left - overscan.right;
  spec.full_height = height - overscan.top - overscan.bottom;
  spec.attribute("Compression", "zip");
  spec.attribute("DateTime", "");  // empty is the only value that keeps the date of writing out
  tag_space(spec, config, delivery);
  const PictureMetadata& metadata = delivery.metadata;
  if (metadata.parameters) spec.attribute(std::string(kParametersKeyword), *metadata.parameters);
  if (metadata.recipe_json) spec.attribute(std::string(kRecipeKeyword), *metadata.recipe_json);
  for (const auto& [keyword, text] : metadata.other) spec.attribute(keyword, text);
  return spec;
}

}  // namespace

std::string encode_exr_delivery(const Image& picture, const ExrDelivery& delivery) {
  check(picture, delivery.overscan);
  const ColorConfig& config = delivery.config != nullptr ? *delivery.config : ColorConfig::built_in();
  const std::vector<float> values = linear_values(picture, config, delivery);
  MemoryWriter memory;
  const std::unique_ptr<OIIO::ImageOutput> output = OIIO::ImageOutput::create("openexr");
  if (!output) throw cannot_write(ErrorCode::failed, "an OpenImageIO without OpenEXR");
  output->threads(1);
  const auto done = [&](bool worked) {
    if (!worked) throw cannot_write(ErrorCode::failed, output->geterror());
  };
  done(output->set_ioproxy(&memory) && output->open("memory", spec_of(picture, config, delivery)));
  done(output->write_image(OIIO::TypeDesc::FLOAT, values.data()));
  done(output->close());
  return memory.take();
}

void write_exr_delivery(const fs::path& path, const Image& picture, const ExrDelivery& delivery) {
  write_file_atomically(path, encode_exr_delivery(picture, delivery));
}

}  // namespace maquette::media
