// Portable Network Graphics, third edition: section 5 (chunk layout), 11.3.3 (textual information).
//   file   = signature, chunk...      chunk = length u32, type [4], data [length], CRC-32 of type and data
//   tEXt   = keyword 0 latin-1        zTXt  = keyword 0 method(0) deflated latin-1
//   iTXt   = keyword 0 compressed? method language 0 translated-keyword 0 UTF-8
#include "media/png_chunks.h"

#include <algorithm>
#include <array>

#include "base/deflate.h"
#include "media/unicode.h"

namespace maquette::media {

namespace {

constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
constexpr size_t kMaxChunks = 1'000'000;
constexpr size_t kMaxKeyword = 79;

// Chunks that decide how the pixels look or print; everything else is dropped when text is rewritten.
constexpr std::array<std::string_view, 11> kKeptChunks = {"IHDR", "PLTE", "tRNS", "sRGB", "gAMA", "cHRM",
                                                          "iCCP", "sBIT", "pHYs", "IDAT", "IEND"};

Error bad_png(std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the PNG chunks").with("found", found);
}

uint32_t checksum(std::string_view type, Bytes data) { return crc32(data, crc32(as_bytes(type))); }

Result<std::string> inflate_text(Bytes packed, size_t limit) {
  const Result<std::vector<std::byte>> plain = inflate(packed, DeflateForm::zlib, limit);
  if (!plain)
    return bad_png(fmt::format("compressed text that cannot be unpacked: {}", plain.error().what()));
  return std::string(as_text(*plain));
}

// Cuts the bytes in front of the next NUL off `rest`; nothing where there is no NUL.
std::optional<std::string_view> take_field(std::string_view& rest) {
  const size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return field;
}

// What stands behind the keyword of an iTXt chunk, as UTF-8.
Result<std::string> decode_international(std::string_view rest, size_t limit) {
  if (rest.size() < 2) return bad_png("an iTXt chunk that ends early");
  const bool compressed = rest[0] != 0;
  const char method = rest[1];
  rest.remove_prefix(2);
  if (!take_field(rest) || !take_field(rest)) return bad_png("an iTXt chunk that ends early");
  if (!compressed) return std::string(rest);
  if (method != 0) return bad_png("an unknown compression of text");
  return inflate_text(as_bytes(rest), limit);
}

}  // namespace

bool is_png(Bytes file) { return as_text(file).starts_with(kSignature); }

Result<std::vector<PngChunk>> read_png_chunks(Bytes file) {
  if (!is_png(file)) return bad_png("no PNG signature");
  std::vector<PngChunk> chunks;
  for (size_t at = kSignature.size(); at < file.size();) {
    const auto length = read_number<uint32_t>(file, at, Endian::big);
    const auto type = slice(file, at + 4, 4);
    const auto data = length ? slice(file, at + 8, *length) : std::nullopt;
    const auto sum = data ? read_number<uint32_t>(file, at + 8 + *length, Endian::big) : std::nullopt;
    if (!sum) return bad_png("a chunk that runs past the end of the file");
    if (chunks.size() >= kMaxChunks) return bad_png("more than a million chunks");
    const PngChunk chunk{as_text(*type), *data};
    if (chunk.type != "IDAT" && checksum(chunk.type, chunk.data) != *sum) {
      return bad_png(fmt::format("a wrong check sum in the chunk at byte {}", at));
    }
    chunks.push_back(chunk);
    if (chunk.type == "IEND") return chunks;
    at += 12 + size_t{*length};
  }
  return bad_png("no IEND chunk");
}

Result<std::optional<PngText>> decode_png_text(const PngChunk& chunk, size_t limit) {
  if (chunk.type != "tEXt" && chunk.type != "zTXt" && chunk.type != "iTXt") return std::optional<PngText>();
  std::string_view rest = as_text(chunk.data);
  const std::optional<std::string_view> keyword = take_field(rest);
  if (!keyword || keyword->empty() || keyword->size() > kMaxKeyword)
    return bad_png("a text chunk without a keyword");
  if (rest.size() > limit) return bad_png(fmt::format("text of more than {} bytes", limit));
  PngText text{latin1_to_utf8(*keyword), {}};
  if (chunk.type == "tEXt") {
    text.text = latin1_to_utf8(rest);
  } else if (chunk.type == "zTXt") {
    if (rest.empty() || rest[0] != 0) return bad_png("an unknown compression of text");
    Result<std::string> plain = inflate_text(as_bytes(rest.substr(1)), limit);
    if (!plain) return plain.error();
    text.text = latin1_to_utf8(*plain);
  } else {
    Result<std::string> plain = decode_international(rest, limit);
    if (!plain) return plain.error();
    if (!is_utf8(*plain)) return bad_png("an iTXt chunk that is not UTF-8");
    text.text = std::move(*plain);
  }
  return std::optional<PngText>(std::move(text));
}

std::string encode_png_chunk(std::string_view type, std::string_view data) {
  std::string out;
  append_number(out, static_cast<uint32_t>(data.size()), Endian::big);
  out += type;
  out += data;
  append_number(out, checksum(type, as_bytes(data)), Endian::big);
  return out;
}

std::string encode_png_text(const PngText& text) {
  const bool keyword_fits =
      !text.keyword.empty() && text.keyword.size() <= kMaxKeyword && is_ascii(text.keyword);
  if (!keyword_fits || text.keyword.find('\0') != std::string::npos ||
      text.text.find('\0') != std::string::npos) {
    throw Error(ErrorCode::usage, "cannot write the text \"{}\" into a PNG", text.keyword)
        .with("expected", "a keyword of 1 to 79 ASCII characters, and text without NUL");
  }
  const std::optional<std::string> latin1 = utf8_to_latin1(text.text);
  if (latin1) return encode_png_chunk("tEXt", text.keyword + '\0' + *latin1);
  // Keyword, then: not compressed, method 0, no language, no translated keyword.
  return encode_png_chunk("iTXt", text.keyword + std::string(5, '\0') + text.text);
}

Result<std::string> rewrite_png_text(Bytes file, const std::vector<PngText>& texts) {
  Result<std::vector<PngChunk>> chunks = read_png_chunks(file);
  if (!chunks) return chunks.error();
  std::string out(kSignature);
  for (const PngChunk& chunk : *chunks) {
    if (std::ranges::find(kKeptChunks, chunk.type) == kKeptChunks.end()) continue;
    out += encode_png_chunk(chunk.type, as_text(chunk.data));
    if (chunk.type != "IHDR") continue;
    for (const PngText& text : texts) out += encode_png_text(text);
  }
  return out;
}

}  // namespace maquette::media
