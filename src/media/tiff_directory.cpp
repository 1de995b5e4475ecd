// TIFF revision 6.0, section 2.
//   header    = "II" or "MM", u16 42, u32 offset of the first directory
//   directory = u16 count, entries [12 bytes each], u32 offset of the next directory
//   entry     = u16 tag, u16 type, u32 count, 4 bytes: the value where it fits, else its offset
#include "media/tiff_directory.h"

#include <algorithm>
#include <array>
#include <limits>

namespace maquette::media {

namespace {

constexpr size_t kEntrySize = 12;
constexpr size_t kMaxEntries = 1024;
constexpr uint64_t kMaxValueBytes = uint64_t{64} << 20;
// Bytes per element of types 1 to 12; 0 marks what does not exist.
constexpr std::array<uint64_t, 13> kTypeSize = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};

Error bad_tiff(std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the TIFF directory").with("found", found);
}

}  // namespace

Result<TiffHeader> read_tiff_header(Bytes file) {
  const std::string_view text = as_text(file);
  const bool little = text.starts_with("II");
  if (!little && !text.starts_with("MM")) return bad_tiff("no TIFF signature");
  const Endian endian = little ? Endian::little : Endian::big;
  const auto version = read_number<uint16_t>(file, 2, endian);
  const auto offset = read_number<uint32_t>(file, 4, endian);
  if (!offset) return bad_tiff("a file that ends in its header");
  if (*version != 42) return bad_tiff(fmt::format("version {}", *version));
  return TiffHeader{endian, *offset};
}

Result<std::vector<TiffEntry>> read_tiff_directory(Bytes file, uint32_t offset, Endian endian) {
  const auto count = read_number<uint16_t>(file, offset, endian);
  if (!count || !slice(file, size_t{offset} + 2, *count * kEntrySize))
    return bad_tiff("a directory outside the file");
  if (*count > kMaxEntries) return bad_tiff(fmt::format("{} entries", *count));
  std::vector<TiffEntry> entries;
  uint64_t total = 0;
  for (size_t i = 0; i < *count; ++i) {
    const size_t at = size_t{offset} + 2 + i * kEntrySize;
    TiffEntry entry;
    entry.tag = *read_number<uint16_t>(file, at, endian);
    entry.type = *read_number<uint16_t>(file, at + 2, endian);
    entry.count = *read_number<uint32_t>(file, at + 4, endian);
    if (entry.type == 0 || entry.type >= kTypeSize.size()) continue;
    // Entries may share their bytes, so that the sum is limited too: 1,024 times a whole file is a bomb.
    const uint64_t size = kTypeSize[entry.type] * entry.count;
    total += size;
    const size_t start = size <= 4 ? at + 8 : *read_number<uint32_t>(file, at + 8, endian);
    const auto value = slice(file, start, size);
    if (!value || total > kMaxValueBytes)
      return bad_tiff(fmt::format("tag {} with a value outside the file", entry.tag));
    entry.value = as_text(*value);
    entries.push_back(std::move(entry));
  }
  return entries;
}

uint32_t append_tiff_directory(std::string& file, std::vector<TiffEntry> entries, Endian endian) {
  std::ranges::sort(entries, {}, &TiffEntry::tag);
  std::string directory;
  append_number(directory, static_cast<uint16_t>(entries.size()), endian);
  // Values longer than four bytes go in front of the directory, on even offsets as TIFF asks.
  for (TiffEntry& entry : entries) {
    append_number(directory, entry.tag, endian);
    append_number(directory, entry.type, endian);
    append_number(directory, entry.count, endian);
    if (entry.value.size() <= 4) {
      entry.value.resize(4, '\0');
      directory += entry.value;
      continue;
    }
    if (file.size() % 2 != 0) file += '\0';
    append_number(directory, static_cast<uint32_t>(file.size()), endian);
    file += entry.value;
  }
  if (file.size() % 2 != 0) file += '\0';
  const size_t offset = file.size();
  append_number(directory, uint32_t{0}, endian);
  file += directory;
  if (file.size() > std::numeric_limits<uint32_t>::max()) {
    throw Error(ErrorCode::failed, "cannot write a TIFF of {} bytes", file.size())
        .with("expected", "less than 4 GiB");
  }
  return static_cast<uint32_t>(offset);
}

TiffEntry tiff_number(uint16_t tag, uint32_t value, Endian endian) {
  TiffEntry entry{tag, 4, 1, {}};
  append_number(entry.value, value, endian);
  return entry;
}

}  // namespace maquette::media
