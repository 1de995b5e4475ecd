// Magic numbers: PNG 3rd edition 5.2, JPEG (ITU-T T.81 B.1.1.3), TIFF 6.0 section 2, RIFF, ISO 14496-12 4.3,
// OpenEXR file layout, Photoshop file format, OpenRaster 0.0.6.
#include "marks/asset_format.h"

#include <algorithm>

namespace maquette::marks {

namespace {

using namespace std::string_view_literals;

// The bytes at `offset` decide; an earlier row goes before a later one.
struct Magic {
  size_t offset;
  std::string_view bytes;
  size_t offset_too;
  std::string_view bytes_too;
  AssetFormat format;
};

constexpr Magic kMagics[] = {
    {0, "\x89PNG\r\n\x1a\n", 0, "", {"PNG", "image/png", true, true}},
    {0, "\xff\xd8\xff", 0, "", {"JPEG", "image/jpeg", true, true}},
    {0, "II*\0"sv, 0, "", {"TIFF", "image/tiff", true, true}},
    {0, "MM\0*"sv, 0, "", {"TIFF", "image/tiff", true, true}},
    {0, "RIFF", 8, "WEBP", {"WebP", "image/webp", true, true}},
    {0, "RIFF", 8, "WAVE", {"WAV", "audio/wav", true, false}},
    {4, "ftyp", 0, "", {"MP4", "video/mp4", true, false}},
    {0, "\x76\x2f\x31\x01", 0, "", {"OpenEXR", "image/x-exr", false, false}},
    {0, "8BPS", 0, "", {"Photoshop", "image/vnd.adobe.photoshop", false, false}},
    {0, "PK\3\4", 38, "image/openraster", {"OpenRaster", "image/openraster", false, false}},
};
constexpr AssetFormat kOther = {"other", "application/octet-stream", false, false};

}  // namespace

const AssetFormat& asset_format(std::span<const std::byte> file) {
  const std::string_view bytes(reinterpret_cast<const char*>(file.data()), std::min<size_t>(file.size(), 64));
  const auto stands_at = [bytes](size_t offset, std::string_view part) {
    return bytes.size() >= offset && bytes.substr(offset).starts_with(part);
  };
  const auto* found = std::ranges::find_if(kMagics, [&](const Magic& magic) {
    return stands_at(magic.offset, magic.bytes) && stands_at(magic.offset_too, magic.bytes_too);
  });
  return found == std::end(kMagics) ? kOther : found->format;
}

std::filesystem::path sidecar_of(const std::filesystem::path& file) {
  const std::filesystem::path own = file.string() + ".c2pa";
  std::error_code error;
  const std::filesystem::path shared = std::filesystem::path(file).replace_extension(".c2pa");
  const bool only_shared = !std::filesystem::exists(own, error) && std::filesystem::exists(shared, error);
  return only_shared ? shared : own;
}

}  // namespace maquette::marks
