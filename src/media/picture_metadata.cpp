// Finds the text in each kind of file. The layout of OpenEXR headers is from "OpenEXR File Layout":
//   file = magic 0x01312f76, u32 version and flags, attribute..., 0      attribute = name 0 type 0 i32 size,
//   value
#include "media/picture_metadata.h"

#include "media/exif.h"
#include "media/image_format.h"
#include "media/metadata_fields.h"
#include "media/png_chunks.h"
#include "media/unicode.h"

namespace maquette::media {

namespace {

constexpr size_t kMaxText = size_t{32} << 20;
constexpr size_t kMaxExrAttributes = 4096;
constexpr size_t kMaxExrName = 256;

Error bad_text(std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the text of the picture").with("found", found);
}

// Files a text under its role. The first of several texts of one name wins, as in other readers.
void file_text(PictureMetadata& metadata, std::string keyword, std::string text) {
  if (keyword == kParametersKeyword && !metadata.parameters) {
    metadata.parameters = std::move(text);
  } else if (keyword == kRecipeKeyword && !metadata.recipe_json) {
    metadata.recipe_json = std::move(text);
  } else {
    metadata.other.emplace_back(std::move(keyword), std::move(text));
  }
}

Result<PictureMetadata> parse_png(Bytes file) {
  const Result<std::vector<PngChunk>> chunks = read_png_chunks(file);
  if (!chunks) return chunks.error();
  PictureMetadata metadata;
  size_t total = 0;
  for (const PngChunk& chunk : *chunks) {
    Result<std::optional<PngText>> text = decode_png_text(chunk);
    if (!text) return text.error();
    if (!*text) continue;
    total += (*text)->text.size();
    if (total > kMaxText) return bad_text(fmt::format("more than {} bytes of text", kMaxText));
    file_text(metadata, std::move((*text)->keyword), std::move((*text)->text));
  }
  return metadata;
}

// Adds what the EXIF block says and the text chunks did not.
std::optional<Error> add_exif(Bytes file, PictureMetadata& metadata) {
  const Result<std::optional<Bytes>> block = find_exif(file);
  if (!block) return block.error();
  if (!*block) return std::nullopt;
  Result<ExifFields> fields = read_exif(**block);
  if (!fields) return fields.error();
  if (!metadata.parameters) metadata.parameters = std::move(fields->user_comment);
  if (!metadata.recipe_json) metadata.recipe_json = std::move(fields->recipe_json);
  for (const ExifKeyword& row : kExifKeywords) {
    std::string& value = (*fields).*row.field;
    if (!value.empty()) metadata.other.emplace_back(row.keyword, std::move(value));
  }
  return std::nullopt;
}

// A NUL-terminated name at `at`, moving past it.
std::optional<std::string_view> take_name(std::string_view text, size_t& at) {
  const size_t end = text.substr(0, std::min(text.size(), at + kMaxExrName)).find('\0', at);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view field = text.substr(at, end - at);
  at = end + 1;
  return field;
}

Result<PictureMetadata> parse_exr(Bytes file) {
  const std::string_view text = as_text(file);
  PictureMetadata metadata;
  size_t at = 8;
  for (size_t i = 0; i < kMaxExrAttributes; ++i) {
    const auto attribute = take_name(text, at);
    if (!attribute) return bad_text("an OpenEXR header that ends early");
    if (attribute->empty()) return metadata;
    const auto type = take_name(text, at);
    const auto size = type ? read_number<uint32_t>(file, at, Endian::little) : std::nullopt;
    const auto value = size ? slice(file, at + 4, *size) : std::nullopt;
    if (!value) return bad_text("an OpenEXR header that ends early");
    if (*type == "string") {
      std::string plain(as_text(*value));
      if (!is_utf8(plain)) plain = latin1_to_utf8(plain);
      file_text(metadata, std::string(*attribute), std::move(plain));
    }
    at += 4 + value->size();
  }
  return bad_text(fmt::format("more than {} OpenEXR attributes", kMaxExrAttributes));
}

}  // namespace

Result<PictureMetadata> parse_picture_metadata(Bytes file) {
  const std::optional<ImageFormat> format = detect_format(file);
  if (!format) return bad_text("no picture that is known here");
  if (format == ImageFormat::exr) return parse_exr(file);
  if (format == ImageFormat::bmp || format == ImageFormat::hdr) return PictureMetadata();
  PictureMetadata metadata;
  if (format == ImageFormat::png) {
    Result<PictureMetadata> from_chunks = parse_png(file);
    if (!from_chunks) return from_chunks;
    metadata = std::move(*from_chunks);
  }
  if (std::optional<Error> error = add_exif(file, metadata)) return *error;
  return metadata;
}

Result<PictureMetadata> read_picture_metadata(const fs::path& path) {
  const Result<MappedFile> file = MappedFile::open(path);
  if (!file) return file.error();
  Result<PictureMetadata> metadata = parse_picture_metadata(file->bytes());
  if (metadata) return metadata;
  Error error = metadata.error();
  error.with("file", path.string());
  return error;
}

}  // namespace maquette::media
