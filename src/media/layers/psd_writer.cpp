// Adobe's specification, "File header", "Color mode data", "Image resources", "Layer and mask information",
// "Image data". Layers of 16 bits stand in the block Lr16 of the layer section, where Photoshop puts them and
// looks for them.
#include <cmath>

#include "base/text.h"
#include "media/icc_profile.h"
#include "media/layers/psd.h"
#include "media/layers/psd_bytes.h"
#include "media/layers/psd_layers.h"

namespace maquette::media {

namespace {

constexpr int64_t kMaxPsdSide = 30'000;
constexpr uint64_t kMaxPsdBytes = uint64_t{2} << 30;
constexpr uint16_t kRgbMode = 3;
constexpr uint16_t kResolutionId = 1005;
constexpr uint16_t kProfileId = 1039;
constexpr uint16_t kVersionId = 1057;

uint64_t raw_bytes(const std::vector<Layer>& layers, int bits) {
  uint64_t bytes = 0;
  for (const Layer& layer : layers) {
    const auto area = static_cast<uint64_t>(layer.pixels.height() * layer.pixels.width());
    const auto mask =
        layer.mask ? static_cast<uint64_t>(layer.mask->pixels.height() * layer.mask->pixels.width()) : 0;
    bytes += (area * 4 + mask) * static_cast<uint64_t>(bits / 8) + 4096 + raw_bytes(layer.children, bits);
  }
  return bytes;
}

void append_header(PsdBytes& out, const LayeredPicture& picture, bool transparent) {
  out.text("8BPS");
  out.u16(out.large() ? 2 : 1);
  out.text(std::string_view("\0\0\0\0\0\0", 6));
  out.u16(transparent ? 4 : 3);
  out.u32(static_cast<uint32_t>(picture.height));
  out.u32(static_cast<uint32_t>(picture.width));
  out.u16(static_cast<uint16_t>(picture.bits));
  out.u16(kRgbMode);
  out.u32(0);  // no colour mode data
}

void append_resource(PsdBytes& out, uint16_t id, const std::string& data) {
  out.text("8BIM");
  out.u16(id);
  out.u16(0);  // no name
  out.u32(static_cast<uint32_t>(data.size()));
  out.text(data);
  if (data.size() % 2 != 0) out.u8(0);
}

std::string resolution(double dpi) {
  PsdBytes out(false);
  for (int axis = 0; axis < 2; ++axis) {
    out.u32(static_cast<uint32_t>(std::lround(dpi * 65536)));
    out.u16(1);  // pixels per inch
    out.u16(1);  // shown in inches
  }
  return out.take();
}

// Says that the merged picture at the end is a real one.
std::string version_info() {
  PsdBytes out(false);
  out.u32(1);
  out.u8(1);
  out.unicode_text("Maquette");
  out.unicode_text("Maquette");
  out.u32(1);
  return out.take();
}

void append_resources(PsdBytes& out, double dpi) {
  out.block(PsdBytes::LengthField::four, 1, [&] {
    append_resource(out, kResolutionId, resolution(dpi));
    append_resource(out, kProfileId, srgb_icc_profile());
    append_resource(out, kVersionId, version_info());
  });
}

void append_layers(PsdBytes& out, const LayeredPicture& picture, bool transparent) {
  using Field = PsdBytes::LengthField;
  out.block(Field::by_form, 4, [&] {
    if (picture.layers.empty()) return;
    const auto info = [&] { append_layer_info(out, picture, transparent); };
    if (picture.bits == 8) return out.block(Field::by_form, 4, info);
    out.length(0);  // no layers of 8 bits
    out.u32(0);     // no global mask
    out.text("8BIMLr16");
    out.block(Field::by_form, 4, info);
  });
}

// Photoshop keeps the merged picture's colours laid over white, and its transparency beside them.
IntegerPixels over_white(const IntegerPixels& pixels) {
  IntegerPixels out(pixels.height(), pixels.width(), 4, pixels.bits());
  std::vector<float> row(static_cast<size_t>(pixels.width() * 4));
  for (int64_t y = 0; y < pixels.height(); ++y) {
    pixels.read_row(y, 0, row);
    for (size_t i = 0; i < row.size(); i += 4) {
      for (size_t c = 0; c < 3; ++c) row[i + c] = row[i + c] * row[i + 3] + (1 - row[i + 3]);
    }
    out.write_row(y, row);
  }
  return out;
}

}  // namespace

bool needs_psb(const LayeredPicture& picture) {
  const auto merged = static_cast<uint64_t>(picture.width * picture.height * 4 * picture.bits / 8);
  return std::max(picture.width, picture.height) > kMaxPsdSide ||
         merged + raw_bytes(picture.layers, picture.bits) > kMaxPsdBytes;
}

namespace {

std::string encode(const LayeredPicture& picture, bool large) {
  IntegerPixels merged = composite(picture);
  const bool transparent = !is_opaque(merged);
  if (transparent) merged = over_white(merged);
  PsdBytes out(large);
  append_header(out, picture, transparent);
  append_resources(out, picture.dpi);
  append_layers(out, picture, transparent);

  std::vector<std::string> planes;
  for (int c = 0; c < (transparent ? 4 : 3); ++c) planes.push_back(channel_bytes(merged, c));
  append_planes(out, planes, static_cast<size_t>(picture.width * picture.bits / 8));
  return out.take();
}

}  // namespace

std::string encode_psd(const LayeredPicture& picture) { return encode(picture, needs_psb(picture)); }

void write_psd(const fs::path& path, const LayeredPicture& picture) {
  const std::string extension = lower_ascii(path.extension().string());
  const bool large = needs_psb(picture);
  if (extension != ".psb" && (extension != ".psd" || large)) {
    throw Error(ErrorCode::usage, "cannot write \"{}\"", path.string())
        .with("found", fmt::format("{} x {} pixels", picture.width, picture.height))
        .with("expected", large ? "a name that ends in .psb" : "a name that ends in .psd or .psb");
  }
  write_file_atomically(path, encode(picture, large || extension == ".psb"));
}

}  // namespace maquette::media
