// Deflate: unpacking compressed parts of files that cannot be trusted (text in PNG files, members of zip
// archives), and the checksum that goes with them. The one place that knows zlib.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace maquette {

enum class DeflateForm {
  zlib,  // RFC 1950: with a header and an Adler-32 checksum
  raw    // RFC 1951 alone, as zip archives have it
};

// The unpacked bytes, at most `limit`; memory is taken as they come. The Error (bad_file) says "damaged data"
// or "more than LIMIT bytes".
Result<std::vector<std::byte>> inflate(std::span<const std::byte> packed, DeflateForm form, uint64_t limit);

// The same where the size is known: fills `out`, which must be filled exactly.
Result<size_t> inflate_into(std::span<const std::byte> packed, DeflateForm form, std::span<std::byte> out);

// CRC-32 of ISO 3309, as PNG and zip have it; `so_far` continues that of the bytes before.
uint32_t crc32(std::span<const std::byte> bytes, uint32_t so_far = 0);

}  // namespace maquette
