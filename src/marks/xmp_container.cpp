// XMP specification part 3 (storage in files): 1.1.3 JPEG, 1.1.5 PNG, 1.1.9 TIFF; WebP container
// specification.
#include "marks/xmp_container.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/deflate.h"
#include "marks/asset_format.h"

namespace maquette::marks {

namespace {

using namespace std::string_view_literals;

constexpr size_t kMaxParts = 1'000'000;  // chunks of a file
constexpr std::string_view kPngKeyword = "XML:com.adobe.xmp\0"sv;
constexpr std::string_view kJpegHeader = "http://ns.adobe.com/xap/1.0/\0"sv;
constexpr size_t kMaxJpegPacket = 65533 - 2 - kJpegHeader.size();
constexpr uint16_t kTiffTag = 700;
constexpr uint8_t kWebpXmpFlag = 0x04;

Error bad_file(std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot find the place of the XMP packet").with("found", found);
}

// A number of `size` bytes; the caller has checked that they exist.
uint32_t number(std::string_view bytes, size_t at, size_t size, bool big) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i)
    value = value << 8 | static_cast<uint8_t>(bytes[at + (big ? i : size - 1 - i)]);
  return value;
}

std::string bytes_of(uint32_t value, size_t size, bool big) {
  std::string out;
  for (size_t i = 0; i < size; ++i) out += static_cast<char>(value >> 8 * (big ? size - 1 - i : i) & 0xff);
  return out;
}

// A part of a file, headers included, and where its data begin.
struct Part {
  std::string_view type;
  size_t begin = 0;
  size_t data = 0;
  size_t data_size = 0;
  size_t end = 0;
};

// --- PNG -------------------------------------------------------------------------------------------------

Result<std::vector<Part>> png_parts(std::string_view file) {
  std::vector<Part> parts;
  for (size_t at = 8; at < file.size() && parts.size() < kMaxParts;) {
    if (file.size() - at < 12) return bad_file("a PNG chunk that is cut off");
    const size_t size = number(file, at, 4, true);
    if (size > file.size() - at - 12) return bad_file("a PNG chunk that runs past the end of the file");
    parts.push_back({file.substr(at + 4, 4), at, at + 8, size, at + 12 + size});
    if (parts.front().type != "IHDR") return bad_file("no header of the PNG file");
    at = parts.back().end;
    if (parts.back().type == "IEND") return parts;
  }
  return bad_file("no end of the PNG file");
}

bool is_png_xmp(std::string_view file, const Part& part) {
  return part.type == "iTXt" && file.substr(part.data, part.data_size).starts_with(kPngKeyword);
}

Result<std::optional<std::string>> find_in_png(std::string_view file) {
  const Result<std::vector<Part>> parts = png_parts(file);
  if (!parts) return parts.error();
  for (const Part& part : *parts) {
    if (!is_png_xmp(file, part)) continue;
    // Compression flag and method, language, translated keyword; XMP is never compressed.
    std::string_view rest = file.substr(part.data, part.data_size).substr(kPngKeyword.size());
    if (rest.size() < 4 || rest[0] != 0) return bad_file("a compressed XMP packet");
    rest.remove_prefix(2);
    for (int field = 0; field < 2; ++field) {
      const size_t end = rest.find('\0');
      if (end == std::string_view::npos) return bad_file("an iTXt chunk that is cut off");
      rest.remove_prefix(end + 1);
    }
    return std::optional<std::string>(rest);
  }
  return std::optional<std::string>();
}

Result<std::string> put_into_png(std::string_view file, std::string_view packet) {
  const Result<std::vector<Part>> parts = png_parts(file);
  if (!parts) return parts.error();
  const std::string body = "iTXt" + std::string(kPngKeyword) + std::string(4, '\0') + std::string(packet);
  const std::string chunk = bytes_of(static_cast<uint32_t>(body.size() - 4), 4, true) + body +
                            bytes_of(crc32(std::as_bytes(std::span(body))), 4, true);
  std::string out(file.substr(0, 8));
  for (const Part& part : *parts) {
    if (is_png_xmp(file, part)) continue;
    out += file.substr(part.begin, part.end - part.begin);
    if (&part == &parts->front()) out += chunk;
  }
  return out.append(file.substr(parts->back().end));
}

// --- JPEG ------------------------------------------------------------------------------------------------

// The segments up to the picture's data. The type is the marker's second byte.
Result<std::vector<Part>> jpeg_parts(std::string_view file) {
  std::vector<Part> parts;
  for (size_t at = 2; at + 4 <= file.size() && parts.size() < kMaxParts;) {
    if (file[at] != '\xff') return bad_file("no marker where a JPEG segment should begin");
    if (file[at + 1] == '\xff') {  // fill byte
      ++at;
      continue;
    }
    if (file[at + 1] == '\xda') return parts;
    const size_t size = number(file, at + 2, 2, true);
    if (size < 2 || size > file.size() - at - 2)
      return bad_file("a JPEG segment that runs past the end of the file");
    parts.push_back({file.substr(at + 1, 1), at, at + 4, size - 2, at + 2 + size});
    at = parts.back().end;
  }
  return bad_file("no picture in the JPEG file");
}

bool is_jpeg_xmp(std::string_view file, const Part& part) {
  return part.type == "\xe1" && file.substr(part.data, part.data_size).starts_with(kJpegHeader);
}

Result<std::optional<std::string>> find_in_jpeg(std::string_view file) {
  const Result<std::vector<Part>> parts = jpeg_parts(file);
  if (!parts) return parts.error();
  for (const Part& part : *parts) {
    if (is_jpeg_xmp(file, part))
      return std::optional<std::string>(file.substr(part.data, part.data_size).substr(kJpegHeader.size()));
  }
  return std::optional<std::string>();
}

// Behind the segments that must come first: JFIF (APP0) and EXIF (APP1).
Result<std::string> put_into_jpeg(std::string_view file, std::string_view packet) {
  const Result<std::vector<Part>> parts = jpeg_parts(file);
  if (!parts) return parts.error();
  if (packet.size() > kMaxJpegPacket) {
    return Error(ErrorCode::usage, "cannot write the XMP packet into a JPEG file")
        .with("found", fmt::format("{} bytes", packet.size()))
        .with("expected", fmt::format("{} at most", kMaxJpegPacket))
        .hint("withhold the prompt, or write another format");
  }
  const std::string segment =
      "\xff\xe1" + bytes_of(static_cast<uint32_t>(2 + kJpegHeader.size() + packet.size()), 2, true) +
      std::string(kJpegHeader) + std::string(packet);
  std::string out(file.substr(0, 2));
  size_t at = 2;
  bool written = false;
  for (const Part& part : *parts) {
    const bool first =
        part.type == "\xe0" || (part.type == "\xe1" && file.substr(part.data).starts_with("Exif\0"sv));
    if (!first && !written) {
      out += segment;
      written = true;
    }
    if (!is_jpeg_xmp(file, part)) out += file.substr(at, part.end - at);
    at = part.end;
  }
  if (!written) out += segment;
  return out.append(file.substr(at));
}

// --- TIFF ------------------------------------------------------------------------------------------------

struct TiffDirectory {
  bool big = false;
  std::string entries;  // 12 bytes each
  uint32_t next = 0;
};

Result<TiffDirectory> tiff_directory(std::string_view file) {
  if (file.size() < 8) return bad_file("a TIFF file that is cut off");
  TiffDirectory directory{.big = file[0] == 'M'};
  const size_t offset = number(file, 4, 4, directory.big);
  if (offset > file.size() || file.size() - offset < 2) return bad_file("no directory in the TIFF file");
  const size_t size = 12 * number(file, offset, 2, directory.big);
  if (size > file.size() - offset - 2 || file.size() - offset - 2 - size < 4)
    return bad_file("a TIFF directory that runs past the end of the file");
  directory.entries = file.substr(offset + 2, size);
  directory.next = number(file, offset + 2 + size, 4, directory.big);
  return directory;
}

Result<std::optional<std::string>> find_in_tiff(std::string_view file) {
  const Result<TiffDirectory> directory = tiff_directory(file);
  if (!directory) return directory.error();
  for (size_t at = 0; at < directory->entries.size(); at += 12) {
    if (number(directory->entries, at, 2, directory->big) != kTiffTag) continue;
    const size_t size = number(directory->entries, at + 4, 4, directory->big);
    const size_t offset = number(directory->entries, at + 8, 4, directory->big);
    if (size <= 4 || offset > file.size() || size > file.size() - offset)
      return bad_file("a damaged XMP tag");
    return std::optional<std::string>(file.substr(offset, size));
  }
  return std::optional<std::string>();
}

// The packet and a new first directory go to the end of the file; the values of the other entries stay where
// they are.
Result<std::string> put_into_tiff(std::string_view file, std::string_view packet) {
  const Result<TiffDirectory> directory = tiff_directory(file);
  if (!directory) return directory.error();
  const bool big = directory->big;
  if (directory->entries.size() / 12 == UINT16_MAX) return bad_file("a TIFF directory without room");
  if (file.size() + packet.size() + directory->entries.size() > UINT32_MAX - 64)
    return bad_file("a TIFF file of more than 4 GiB");
  std::string out(file);
  const auto align = [&out] { out.append(out.size() % 2, '\0'); };
  align();
  const std::string entry = bytes_of(kTiffTag, 2, big) + bytes_of(1, 2, big) +  // BYTE
                            bytes_of(static_cast<uint32_t>(packet.size()), 4, big) +
                            bytes_of(static_cast<uint32_t>(out.size()), 4, big);
  out += packet;
  std::string entries;
  bool written = false;
  for (size_t at = 0; at < directory->entries.size(); at += 12) {
    const uint32_t tag = number(directory->entries, at, 2, big);
    if (tag >= kTiffTag && !written) {
      entries += entry;
      written = true;
    }
    if (tag != kTiffTag) entries += directory->entries.substr(at, 12);
  }
  if (!written) entries += entry;
  align();
  const std::string offset = bytes_of(static_cast<uint32_t>(out.size()), 4, big);
  out += bytes_of(static_cast<uint32_t>(entries.size() / 12), 2, big) + entries +
         bytes_of(directory->next, 4, big);
  out.replace(4, 4, offset);
  return out;
}

// --- WebP ------------------------------------------------------------------------------------------------

Result<std::vector<Part>> webp_parts(std::string_view file) {
  std::vector<Part> parts;
  if (file.size() < 12) return bad_file("a WebP file that is cut off");
  const size_t end = std::min(file.size(), size_t{8} + number(file, 4, 4, false));
  for (size_t at = 12; at < end && parts.size() < kMaxParts;) {
    if (end - at < 8) return bad_file("a WebP chunk that is cut off");
    const size_t size = number(file, at + 4, 4, false);
    if (size > end - at - 8) return bad_file("a WebP chunk that runs past the end of the file");
    parts.push_back({file.substr(at, 4), at, at + 8, size, std::min(end, at + 8 + size + size % 2)});
    at = parts.back().end;
  }
  if (parts.empty()) return bad_file("a WebP file without chunks");
  return parts;
}

Result<std::optional<std::string>> find_in_webp(std::string_view file) {
  const Result<std::vector<Part>> parts = webp_parts(file);
  if (!parts) return parts.error();
  const auto found = std::ranges::find(*parts, "XMP ", &Part::type);
  if (found == parts->end()) return std::optional<std::string>();
  return std::optional<std::string>(file.substr(found->data, found->data_size));
}

std::string webp_chunk(std::string_view type, std::string_view data) {
  return std::string(type) + bytes_of(static_cast<uint32_t>(data.size()), 4, false) + std::string(data) +
         std::string(data.size() % 2, '\0');
}

// The extended header for a file that has only a picture: its size comes from the picture's own header
// (RFC 6386, 9.1 for VP8; the lossless bitstream specification, section 3, for VP8L).
Result<std::string> webp_header(std::string_view file, const Part& picture) {
  const std::string_view data = file.substr(picture.data, picture.data_size);
  uint32_t width = 0;
  uint32_t height = 0;
  bool alpha = false;
  if (picture.type == "VP8 " && data.size() >= 10) {
    width = number(data, 6, 2, false) & 0x3fff;
    height = number(data, 8, 2, false) & 0x3fff;
  } else if (picture.type == "VP8L" && data.size() >= 5) {
    const uint32_t bits = number(data, 1, 4, false);
    width = (bits & 0x3fff) + 1;
    height = (bits >> 14 & 0x3fff) + 1;
    alpha = (bits >> 28 & 1) != 0;
  }
  if (width == 0 || height == 0) return bad_file("a WebP file without a picture");
  return webp_chunk("VP8X", std::string(1, alpha ? '\x10' : '\0') + std::string(3, '\0') +
                                bytes_of(width - 1, 3, false) + bytes_of(height - 1, 3, false));
}

Result<std::string> put_into_webp(std::string_view file, std::string_view packet) {
  const Result<std::vector<Part>> parts = webp_parts(file);
  if (!parts) return parts.error();
  std::string body;
  const Part& first = parts->front();
  if (first.type == "VP8X") {
    if (first.data_size < 10) return bad_file("a WebP header that is cut off");
    body = file.substr(first.begin, first.end - first.begin);
  } else {
    Result<std::string> header = webp_header(file, first);
    if (!header) return header.error();
    body = *header + webp_chunk(first.type, file.substr(first.data, first.data_size));
  }
  body[8] = static_cast<char>(body[8] | kWebpXmpFlag);
  for (const Part& part : *parts) {
    if (&part != &first && part.type != "XMP ")
      body += webp_chunk(part.type, file.substr(part.data, part.data_size));
  }
  body += webp_chunk("XMP ", packet);
  return "RIFF" + bytes_of(static_cast<uint32_t>(4 + body.size()), 4, false) + "WEBP" + body;
}

struct Container {
  std::string_view format;
  Result<std::optional<std::string>> (*find)(std::string_view file);
  Result<std::string> (*put)(std::string_view file, std::string_view packet);
};
constexpr Container kContainers[] = {{"PNG", find_in_png, put_into_png},
                                     {"JPEG", find_in_jpeg, put_into_jpeg},
                                     {"TIFF", find_in_tiff, put_into_tiff},
                                     {"WebP", find_in_webp, put_into_webp}};

const Container* container_of(std::span<const std::byte> file) {
  const auto* found = std::ranges::find(kContainers, asset_format(file).name, &Container::format);
  return found == std::end(kContainers) ? nullptr : found;
}

std::string_view text_of(std::span<const std::byte> file) {
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

}  // namespace

Result<std::optional<std::string>> find_xmp(std::span<const std::byte> file) {
  const Container* container = container_of(file);
  return container ? container->find(text_of(file)) : std::optional<std::string>();
}

Result<std::string> with_xmp(std::span<const std::byte> file, std::string_view packet) {
  const Container* container = container_of(file);
  if (!container) return bad_file(fmt::format("a file of kind {}", asset_format(file).name));
  return container->put(text_of(file), packet);
}

}  // namespace maquette::marks
