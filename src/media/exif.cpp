// EXIF 2.32 (CIPA DC-008): sections 4.5 (blocks), 4.6.5 (UserComment: eight bytes of character code, then
// text) and 4.7.2 (APP1). The layout of WebP containers is from RFC 9649, that of JPEG segments from ITU-T
// T.81, annex B.
#include "media/exif.h"

#include <algorithm>
#include <cmath>

#include "media/png_chunks.h"
#include "media/tiff_directory.h"
#include "media/unicode.h"

namespace maquette::media {

namespace {

using namespace std::string_literals;

enum Tag : uint16_t {
  kImageDescription = 0x010e,
  kXResolution = 0x011a,
  kYResolution = 0x011b,
  kResolutionUnit = 0x0128,
  kSoftware = 0x0131,
  kDateTime = 0x0132,
  kArtist = 0x013b,
  kHostComputer = 0x013c,
  kCopyright = 0x8298,
  kExifDirectory = 0x8769,
  kExifVersion = 0x9000,
  kMakerNote = 0x927c,
  kUserComment = 0x9286,
};

constexpr uint16_t kAscii = 2, kShort = 3, kRational = 5, kUndefined = 7;

const std::string kRecipeMark = "maquette\0"s;
const std::string kUnicodeMark = "UNICODE\0"s;
const std::string kAsciiMark = "ASCII\0\0\0"s;
const std::string kExifMark = "Exif\0\0"s;

TiffEntry entry_of(uint16_t tag, uint16_t type, std::string value) {
  const auto count = static_cast<uint32_t>(value.size());
  return {tag, type, count, std::move(value)};
}

// The entries of the first directory and of the EXIF directory that it points to.
std::vector<TiffEntry> description_entries(const ExifFields& fields) {
  std::vector<TiffEntry> entries;
  const auto add = [&](uint16_t tag, const std::string& text) {
    if (!text.empty()) entries.push_back(entry_of(tag, kAscii, text + '\0'));
  };
  add(kImageDescription, fields.description);
  add(kSoftware, fields.software);
  add(kArtist, fields.artist);
  add(kCopyright, fields.copyright);
  return entries;
}

std::vector<TiffEntry> exif_entries(const ExifFields& fields, Endian endian) {
  std::vector<TiffEntry> entries = {entry_of(kExifVersion, kUndefined, "0232")};
  if (fields.recipe_json)
    entries.push_back(entry_of(kMakerNote, kUndefined, kRecipeMark + *fields.recipe_json));
  if (fields.user_comment) {
    entries.push_back(
        entry_of(kUserComment, kUndefined, kUnicodeMark + utf8_to_utf16(*fields.user_comment, endian)));
  }
  return entries;
}

void strip_trailing_nul(std::string& text) {
  while (!text.empty() && text.back() == '\0') text.pop_back();
}

std::string utf8_or_latin1(std::string text) {
  strip_trailing_nul(text);
  return is_utf8(text) ? text : latin1_to_utf8(text);
}

// The order of UTF-16 is not reliable: tools write big-endian text into little-endian blocks. Latin letters
// have a zero in their upper byte, which tells; without any, the order of the block is believed.
Endian utf16_order(Bytes text, Endian block) {
  size_t even_zeros = 0;
  size_t odd_zeros = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == std::byte{0}) ++(i % 2 == 0 ? even_zeros : odd_zeros);
  }
  if (even_zeros == odd_zeros) return block;
  return even_zeros > odd_zeros ? Endian::big : Endian::little;
}

std::optional<std::string> decode_user_comment(std::string_view value, Endian block) {
  if (value.size() < 8) return std::nullopt;
  const std::string_view mark = value.substr(0, 8);
  const std::string_view text = value.substr(8);
  if (mark == kUnicodeMark) {
    const Bytes bytes = as_bytes(text);
    std::string comment = utf16_to_utf8(bytes, utf16_order(bytes, block));
    strip_trailing_nul(comment);
    return comment;
  }
  if (mark == kAsciiMark || mark == std::string_view("\0\0\0\0\0\0\0\0", 8))
    return utf8_or_latin1(std::string(text));
  return std::nullopt;  // JIS and private codes
}

void take_entry(const TiffEntry& entry, Endian endian, ExifFields& fields) {
  switch (entry.tag) {
    case kImageDescription: fields.description = utf8_or_latin1(entry.value); break;
    case kSoftware: fields.software = utf8_or_latin1(entry.value); break;
    case kArtist: fields.artist = utf8_or_latin1(entry.value); break;
    case kCopyright: fields.copyright = utf8_or_latin1(entry.value); break;
    case kUserComment: fields.user_comment = decode_user_comment(entry.value, endian); break;
    case kMakerNote:
      if (entry.value.starts_with(kRecipeMark)) fields.recipe_json = entry.value.substr(kRecipeMark.size());
      break;
    default: break;
  }
}

Error bad_container(std::string_view kind, std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the {} file", kind).with("found", found);
}

struct Segment {
  uint8_t marker = 0;
  size_t begin = 0;  // offset of the 0xff
  Bytes data;        // behind the length
  bool is_exif() const { return marker == 0xe1 && as_text(data).starts_with(kExifMark); }
};

// The segments between SOI and the first scan.
Result<std::vector<Segment>> jpeg_segments(Bytes jpeg) {
  if (!as_text(jpeg).starts_with("\xff\xd8")) return bad_container("JPEG", "no JPEG signature");
  std::vector<Segment> segments;
  for (size_t at = 2;;) {
    const auto lead = read_number<uint8_t>(jpeg, at, Endian::big);
    const auto marker = read_number<uint8_t>(jpeg, at + 1, Endian::big);
    if (!marker || *lead != 0xff) return bad_container("JPEG", fmt::format("no marker at byte {}", at));
    if (*marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    const auto length = read_number<uint16_t>(jpeg, at + 2, Endian::big);
    const auto data = length && *length >= 2 ? slice(jpeg, at + 4, *length - 2u) : std::nullopt;
    if (!data) return bad_container("JPEG", "a segment that runs past the end of the file");
    segments.push_back({*marker, at, *data});
    if (*marker == 0xda) return segments;
    at += 2 + size_t{*length};
  }
}

struct RiffChunk {
  std::string_view type;
  Bytes data;
};

Result<std::vector<RiffChunk>> webp_chunks(Bytes webp) {
  const std::string_view text = as_text(webp);
  if (!text.starts_with("RIFF") || text.substr(0, 12).substr(std::min<size_t>(8, text.size())) != "WEBP") {
    return bad_container("WebP", "no WebP signature");
  }
  std::vector<RiffChunk> chunks;
  for (size_t at = 12; at + 8 <= webp.size();) {
    const auto length = *read_number<uint32_t>(webp, at + 4, Endian::little);
    const auto data = slice(webp, at + 8, length);
    if (!data) return bad_container("WebP", "a chunk that runs past the end of the file");
    chunks.push_back({text.substr(at, 4), *data});
    at += 8 + size_t{length} + length % 2;
  }
  return chunks;
}

void append_riff_chunk(std::string& out, std::string_view type, std::string_view data) {
  out += type;
  append_number(out, static_cast<uint32_t>(data.size()), Endian::little);
  out += data;
  if (data.size() % 2 != 0) out += '\0';
}

void append_u24(std::string& out, int64_t value) {
  for (int shift = 0; shift < 24; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

}  // namespace

std::string build_exif(const ExifFields& fields) {
  std::string block = "MM\0\x2a\0\0\0\0"s;
  const uint32_t exif = append_tiff_directory(block, exif_entries(fields, Endian::big), Endian::big);
  std::vector<TiffEntry> entries = description_entries(fields);
  entries.push_back(tiff_number(kExifDirectory, exif, Endian::big));
  const uint32_t first = append_tiff_directory(block, std::move(entries), Endian::big);
  std::string offset;
  append_number(offset, first, Endian::big);
  return block.replace(4, 4, offset);
}

Result<ExifFields> read_exif(Bytes block) {
  const Result<TiffHeader> header = read_tiff_header(block);
  if (!header) return header.error();
  const auto first = read_tiff_directory(block, header->first_directory, header->endian);
  if (!first) return first.error();
  ExifFields fields;
  for (const TiffEntry& entry : *first) {
    take_entry(entry, header->endian, fields);
    if (entry.tag != kExifDirectory) continue;
    const auto offset = read_number<uint32_t>(as_bytes(entry.value), 0, header->endian);
    if (!offset) continue;
    const auto second = read_tiff_directory(block, *offset, header->endian);
    if (!second) return second.error();
    for (const TiffEntry& inner : *second) take_entry(inner, header->endian, fields);
  }
  return fields;
}

Result<std::optional<Bytes>> find_exif(Bytes file) {
  const std::string_view text = as_text(file);
  if (text.starts_with("II*") || text.starts_with(std::string_view("MM\0*", 4))) return std::optional(file);
  if (is_png(file)) {
    const auto chunks = read_png_chunks(file);
    if (!chunks) return chunks.error();
    for (const PngChunk& chunk : *chunks) {
      if (chunk.type == "eXIf") return std::optional(chunk.data);
    }
  } else if (text.starts_with("\xff\xd8")) {
    const auto segments = jpeg_segments(file);
    if (!segments) return segments.error();
    for (const Segment& segment : *segments) {
      if (segment.is_exif()) return std::optional(segment.data.subspan(kExifMark.size()));
    }
  } else if (text.starts_with("RIFF")) {
    const auto chunks = webp_chunks(file);
    if (!chunks) return chunks.error();
    for (const RiffChunk& chunk : *chunks) {
      if (chunk.type != "EXIF") continue;
      // Some writers keep the mark that only JPEG needs.
      return std::optional(
          chunk.data.subspan(as_text(chunk.data).starts_with(kExifMark) ? kExifMark.size() : 0));
    }
  }
  return std::optional<Bytes>();
}

std::string jpeg_with_exif(Bytes jpeg, const ExifFields& fields) {
  const std::vector<Segment> segments = jpeg_segments(jpeg).take();
  const std::string payload = kExifMark + build_exif(fields);
  if (payload.size() + 2 > 0xffff) {
    throw Error(ErrorCode::usage, "cannot write the parameters into a JPEG")
        .with("found", fmt::format("{} bytes", payload.size()))
        .with("expected", "at most 65533 bytes")
        .hint("write a PNG, which has no such limit");
  }
  std::string app1 = "\xff\xe1";
  append_number(app1, static_cast<uint16_t>(payload.size() + 2), Endian::big);
  app1 += payload;

  // The block stands behind the JFIF header where there is one, and takes the place of an older block.
  const std::string_view text = as_text(jpeg);
  std::string out = "\xff\xd8";
  bool placed = false;
  for (size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    if (!placed && segment.marker != 0xe0) {
      out += app1;
      placed = true;
    }
    if (segment.is_exif()) continue;
    const size_t end = i + 1 < segments.size() ? segments[i + 1].begin : jpeg.size();
    out += text.substr(segment.begin, end - segment.begin);
  }
  return out;
}

std::string webp_with_exif(Bytes webp, const ExifFields& fields, const WebpCanvas& canvas) {
  const std::vector<RiffChunk> chunks = webp_chunks(webp).take();
  constexpr uint8_t kHasExif = 0x08, kHasAlpha = 0x10;
  std::string extended;
  extended += static_cast<char>(kHasExif | (canvas.alpha ? kHasAlpha : 0));
  append_u24(extended, 0);
  append_u24(extended, canvas.width - 1);
  append_u24(extended, canvas.height - 1);

  std::string body = "WEBP";
  append_riff_chunk(body, "VP8X", extended);
  for (const RiffChunk& chunk : chunks) {
    if (chunk.type != "VP8X" && chunk.type != "EXIF")
      append_riff_chunk(body, chunk.type, as_text(chunk.data));
  }
  append_riff_chunk(body, "EXIF", build_exif(fields));
  std::string out = "RIFF";
  append_number(out, static_cast<uint32_t>(body.size()), Endian::little);
  return out + body;
}

namespace {

TiffEntry resolution(uint16_t tag, double dpi, Endian endian) {
  TiffEntry entry{tag, kRational, 1, {}};
  append_number(entry.value, static_cast<uint32_t>(std::lround(dpi * 1000)), endian);
  append_number(entry.value, uint32_t{1000}, endian);
  return entry;
}

// Overwrites a value that stands outside its entry, so that a removed date leaves no trace in the bytes.
void blank_value(std::string& tiff, const TiffHeader& header, uint16_t tag) {
  const Bytes bytes = as_bytes(tiff);
  const uint16_t count = *read_number<uint16_t>(bytes, header.first_directory, header.endian);
  for (size_t i = 0; i < count; ++i) {
    const size_t at = size_t{header.first_directory} + 2 + i * 12;
    if (*read_number<uint16_t>(bytes, at, header.endian) != tag) continue;
    const uint32_t length = *read_number<uint32_t>(bytes, at + 4, header.endian);
    const uint32_t offset = *read_number<uint32_t>(bytes, at + 8, header.endian);
    if (length > 4) tiff.replace(offset, length, length, '\0');
  }
}

}  // namespace

std::string tiff_with_exif(std::string tiff, const ExifFields& fields, double dpi) {
  const TiffHeader header = read_tiff_header(as_bytes(tiff)).take();
  std::vector<TiffEntry> entries =
      read_tiff_directory(as_bytes(tiff), header.first_directory, header.endian).take();
  for (const uint16_t tag : {kDateTime, kSoftware, kHostComputer}) blank_value(tiff, header, tag);
  const std::vector<uint16_t> replaced = {kDateTime,      kSoftware,      kHostComputer,     kXResolution,
                                          kYResolution,   kArtist,        kImageDescription, kCopyright,
                                          kExifDirectory, kResolutionUnit};
  std::erase_if(entries,
                [&](const TiffEntry& e) { return std::ranges::find(replaced, e.tag) != replaced.end(); });

  std::ranges::copy(description_entries(fields), std::back_inserter(entries));
  if (dpi > 0) {
    entries.push_back(resolution(kXResolution, dpi, header.endian));
    entries.push_back(resolution(kYResolution, dpi, header.endian));
    TiffEntry unit{kResolutionUnit, kShort, 1, {}};
    append_number(unit.value, uint16_t{2}, header.endian);  // inches
    entries.push_back(std::move(unit));
  }
  const uint32_t exif = append_tiff_directory(tiff, exif_entries(fields, header.endian), header.endian);
  entries.push_back(tiff_number(kExifDirectory, exif, header.endian));
  const uint32_t first = append_tiff_directory(tiff, std::move(entries), header.endian);
  std::string offset;
  append_number(offset, first, header.endian);
  return tiff.replace(4, 4, offset);
}

}  // namespace maquette::media
