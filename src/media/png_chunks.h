// The chunks of a PNG file: walking them with limits, and reading and writing text in them.
//
// Pixels are left to the codec; this exists because the text that image generators exchange must stand in
// exact chunk kinds (see picture_metadata.h), and because text chunks of foreign files are hostile input.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "media/bytes.h"

namespace maquette::media {

struct PngChunk {
  std::string_view type;  // four letters, into the file's bytes
  Bytes data;
};

struct PngText {
  std::string keyword;  // UTF-8
  std::string text;     // UTF-8
};

bool is_png(Bytes file);

// All chunks up to IEND. Refuses a wrong signature, lengths that leave the file, a wrong check sum in any
// chunk but IDAT (the codec checks those), and more than a million chunks.
Result<std::vector<PngChunk>> read_png_chunks(Bytes file);

// The text of a tEXt, zTXt or iTXt chunk; nothing for other chunks. At most `limit` bytes are decompressed.
Result<std::optional<PngText>> decode_png_text(const PngChunk& chunk, size_t limit = size_t{8} << 20);

// Whole chunks, with length and check sum. Text that fits ISO 8859-1 becomes tEXt, which every tool reads;
// other text becomes an uncompressed iTXt. Throws Error for a keyword that PNG does not allow or text with a
// NUL.
std::string encode_png_chunk(std::string_view type, std::string_view data);
std::string encode_png_text(const PngText& text);

// The file with these texts right behind its header, and with only those of its own chunks that decide how it
// looks and prints: times and program names go, so that equal pictures are equal bytes.
Result<std::string> rewrite_png_text(Bytes file, const std::vector<PngText>& texts);

}  // namespace maquette::media
