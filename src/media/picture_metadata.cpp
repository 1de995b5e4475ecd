// Finds the text in each kind of file, in chunks (PNG), EXIF blocks (JPEG, WebP, TIFF) or attributes
// (OpenEXR).
#include "media/picture_metadata.h"

#include "media/exif.h"
#include "media/exr_header.h"
#include "media/image_format.h"
#include "media/metadata_fields.h"
#include "media/png_chunks.h"
#include "media/unicode.h"

namespace maquette::media {

namespace {

constexpr size_t kMaxText = size_t{32} << 20;

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

Result<PictureMetadata> parse_exr(Bytes file) {
  const Result<std::vector<ExrPart>> parts = read_exr_header(file);
  if (!parts) return parts.error();
  PictureMetadata metadata;
  for (const ExrPart& part : *parts) {
    for (const ExrAttribute& attribute : part) {
      if (attribute.type != "string") continue;
      std::string plain(as_text(attribute.value));
      if (!is_utf8(plain)) plain = latin1_to_utf8(plain);
      file_text(metadata, std::string(attribute.name), std::move(plain));
    }
  }
  return metadata;
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
