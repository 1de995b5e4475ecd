// "OpenEXR File Layout" of the OpenEXR documentation:
//   file      = magic 0x01312f76, u32 version and flags, header..., offset tables, chunks
//   header    = attribute..., 0;  of a multi-part file several, and an empty one at the end
//   attribute = name 0, type 0, u32 size, value
// Every chunk (some lines, or a tile) has an 8-byte entry in an offset table.
#include "media/exr_header.h"

#include <algorithm>
#include <array>

namespace maquette::media {

namespace {

constexpr size_t kMaxAttributes = 4096;
constexpr size_t kMaxParts = 256;
constexpr size_t kMaxName = 256;
constexpr uint32_t kMultiPart = 0x1000;

Error bad_exr(std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the OpenEXR header").with("found", found);
}

// A NUL-terminated name at `at`, moving past it.
std::optional<std::string_view> take_name(std::string_view text, size_t& at) {
  const std::string_view window = text.substr(std::min(at, text.size()), kMaxName);
  const size_t end = window.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  at += end + 1;
  return window.substr(0, end);
}

const ExrAttribute* find(const ExrPart& part, std::string_view name) {
  const auto found = std::ranges::find(part, name, &ExrAttribute::name);
  return found == part.end() ? nullptr : &*found;
}

int64_t number(const ExrAttribute& attribute, size_t index) {
  const auto value = read_number<uint32_t>(attribute.value, index * 4, Endian::little);
  return static_cast<int32_t>(value.value_or(0));
}

struct Window {
  int64_t width = 0;
  int64_t height = 0;
};

std::optional<Window> window_of(const ExrPart& part, std::string_view name) {
  const ExrAttribute* box = find(part, name);
  if (!box || box->type != "box2i" || box->value.size() != 16) return std::nullopt;
  return Window{number(*box, 2) - number(*box, 0) + 1, number(*box, 3) - number(*box, 1) + 1};
}

// A channel is its name, a NUL and 16 bytes; a NUL ends the list.
std::optional<int64_t> count_channels(const ExrPart& part) {
  const ExrAttribute* list = find(part, "channels");
  if (!list || list->type != "chlist") return std::nullopt;
  const std::string_view text = as_text(list->value);
  int64_t count = 0;
  for (size_t at = 0;;) {
    const auto name = take_name(text, at);
    if (!name) return std::nullopt;
    if (name->empty()) return count;
    at += 16;
    ++count;
  }
}

// Lines per chunk for compressions 0 to 9: none, RLE, ZIPS, ZIP, PIZ, PXR24, B44, B44A, DWAA, DWAB.
constexpr std::array<int64_t, 10> kLinesPerChunk = {1, 1, 1, 16, 32, 16, 32, 32, 32, 256};

// At least so many chunks the part must have; nothing where its fields make no sense.
std::optional<int64_t> least_chunks(const ExrPart& part, const Window& data, const ImageLimits& limits) {
  if (const ExrAttribute* tiles = find(part, "tiles")) {
    if (tiles->value.size() != 9) return std::nullopt;
    const int64_t width = number(*tiles, 0);
    const int64_t height = number(*tiles, 1);
    if (width < 1 || height < 1 || width > limits.side || height > limits.side) return std::nullopt;
    return ((data.width + width - 1) / width) * ((data.height + height - 1) / height);
  }
  const ExrAttribute* compression = find(part, "compression");
  if (!compression || compression->value.size() != 1) return std::nullopt;
  const auto kind = std::to_integer<size_t>(compression->value[0]);
  if (kind >= kLinesPerChunk.size()) return std::nullopt;
  return (data.height + kLinesPerChunk[kind] - 1) / kLinesPerChunk[kind];
}

std::optional<Error> check_part(const ExrPart& part, size_t file_size, const ImageLimits& limits) {
  const std::optional<Window> data = window_of(part, "dataWindow");
  const std::optional<Window> display = window_of(part, "displayWindow");
  const std::optional<int64_t> channels = count_channels(part);
  if (!data || !display || !channels) return bad_exr("no window or no channels");
  if (auto error = check_size(data->width, data->height, *channels, limits)) return error;
  if (auto error = check_size(display->width, display->height, *channels, limits)) return error;

  const std::optional<int64_t> chunks = least_chunks(part, *data, limits);
  if (!chunks) return bad_exr("tiles or a compression that do not exist");
  const ExrAttribute* said = find(part, "chunkCount");
  const int64_t needed = std::max(*chunks, said ? number(*said, 0) : 0);
  if (static_cast<uint64_t>(needed) * 8 > file_size) {
    return bad_exr(fmt::format("{} chunks in a file of {} bytes", needed, file_size));
  }
  const ExrAttribute* preview = find(part, "preview");
  if (preview && preview->type == "preview") {
    const int64_t width = number(*preview, 0);
    const int64_t height = number(*preview, 1);
    const auto size = static_cast<int64_t>(preview->value.size());
    const bool fits =
        width >= 0 && height >= 0 && width <= size && height <= size && 8 + 4 * width * height == size;
    if (!fits) return bad_exr(fmt::format("a preview of {} x {} in {} bytes", width, height, size));
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<ExrPart>> read_exr_header(Bytes file) {
  const std::string_view text = as_text(file);
  const auto flags = read_number<uint32_t>(file, 4, Endian::little);
  if (!flags || !text.starts_with("\x76\x2f\x31\x01")) return bad_exr("no OpenEXR signature");
  const bool several = (*flags & kMultiPart) != 0;
  std::vector<ExrPart> parts(1);
  size_t at = 8;
  for (size_t i = 0; i < kMaxAttributes; ++i) {
    const auto name = take_name(text, at);
    if (!name) return bad_exr("a header that ends early");
    if (name->empty()) {
      if (!several) return parts;
      // An empty part ends the header of a file of several.
      if (parts.back().empty()) {
        parts.pop_back();
        return parts;
      }
      if (parts.size() == kMaxParts) return bad_exr(fmt::format("more than {} parts", kMaxParts));
      parts.emplace_back();
      continue;
    }
    const auto type = take_name(text, at);
    const auto size = type ? read_number<uint32_t>(file, at, Endian::little) : std::nullopt;
    const auto value = size ? slice(file, at + 4, *size) : std::nullopt;
    if (!value) return bad_exr("an attribute that runs past the end of the file");
    parts.back().push_back({*name, *type, *value});
    at += 4 + value->size();
  }
  return bad_exr(fmt::format("more than {} attributes", kMaxAttributes));
}

std::optional<Error> check_exr(Bytes file, const ImageLimits& limits) {
  const Result<std::vector<ExrPart>> parts = read_exr_header(file);
  if (!parts) return parts.error();
  if (parts->empty()) return bad_exr("no parts");
  for (const ExrPart& part : *parts) {
    if (auto error = check_part(part, file.size(), limits)) return error;
  }
  return std::nullopt;
}

}  // namespace maquette::media
