// The directories of TIFF, which are also the directories of EXIF: reading one with limits, and appending
// one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "media/bytes.h"

namespace maquette::media {

// One tag. `type` as in TIFF 6.0: 1 byte, 2 ASCII, 3 u16, 4 u32, 5 rational, 7 undefined, ...; `value` holds
// count elements in the byte order of the file.
struct TiffEntry {
  uint16_t tag = 0;
  uint16_t type = 0;
  uint32_t count = 0;
  std::string value;
};

struct TiffHeader {
  Endian endian = Endian::little;
  uint32_t first_directory = 0;  // offset
};

// Classic TIFF only ("II*" or "MM" with 42); BigTIFF is refused.
Result<TiffHeader> read_tiff_header(Bytes file);

// The entries at `offset`. Entries of unknown types are left out; values that leave the file, more than 1,024
// entries, and more than 64 MiB of values are errors.
Result<std::vector<TiffEntry>> read_tiff_directory(Bytes file, uint32_t offset, Endian endian);

// Appends the values and the directory (sorted by tag, no next directory) at the end of `file`; returns its
// offset. Throws Error beyond 4 GiB.
uint32_t append_tiff_directory(std::string& file, std::vector<TiffEntry> entries, Endian endian);

// A one-element u32 entry, as pointers to other directories are.
TiffEntry tiff_number(uint16_t tag, uint32_t value, Endian endian);

}  // namespace maquette::media
