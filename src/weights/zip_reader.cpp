// The zip container (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3), read from the central directory at its
// end, with the ZIP64 records that files beyond 4 GB need. Encrypted and multi-disk archives are refused.

#include "weights/zip_reader.h"

#include <cstring>
#include <optional>

#include "base/deflate.h"

namespace maquette::weights {

namespace {

constexpr uint32_t kEndRecord = 0x06054b50;
constexpr uint32_t kEnd64Record = 0x06064b50;
constexpr uint32_t kEnd64Locator = 0x07064b50;
constexpr uint32_t kCentralHeader = 0x02014b50;
constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint64_t kMaxMembers = 200'000;

// Little-endian numbers out of a span, with every access checked.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool fits(uint64_t at, uint64_t size) const { return at <= bytes_.size() && size <= bytes_.size() - at; }
  template <typename T>
  std::optional<T> get(uint64_t at) const {
    if (!fits(at, sizeof(T))) return std::nullopt;
    T value{};
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }
  std::span<const std::byte> part(uint64_t at, uint64_t size) const { return bytes_.subspan(at, size); }
  uint64_t size() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

struct Directory {
  uint64_t begin = 0;
  uint64_t members = 0;
};

Error bad_zip(const SharedBytes& bytes, std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the checkpoint \"{}\"", bytes->path().string())
      .with("found", found);
}

// The end record is the last 22 bytes, or earlier where the archive has a comment (at most 65,535 bytes).
std::optional<Directory> find_directory(const Reader& reader) {
  if (reader.size() < 22) return std::nullopt;
  const uint64_t last = reader.size() - 22;
  const uint64_t first = last > 65535 ? last - 65535 : 0;
  for (uint64_t at = last + 1; at-- > first;) {
    if (*reader.get<uint32_t>(at) != kEndRecord) continue;
    Directory directory{.begin = *reader.get<uint32_t>(at + 16), .members = *reader.get<uint16_t>(at + 10)};
    const bool zip64 = at >= 20 && *reader.get<uint32_t>(at - 20) == kEnd64Locator;
    if (!zip64) return directory;
    const uint64_t record = *reader.get<uint64_t>(at - 20 + 8);
    if (!reader.fits(record, 56) || *reader.get<uint32_t>(record) != kEnd64Record) return std::nullopt;
    directory.members = *reader.get<uint64_t>(record + 32);
    directory.begin = *reader.get<uint64_t>(record + 48);
    return directory;
  }
  return std::nullopt;
}

struct CentralEntry {
  std::string name;
  ZipMember member;
  uint64_t local_header = 0;
  uint64_t next = 0;  // where the following entry starts
};

// Fills the fields that the 32-bit header marks as too large, from the ZIP64 extra field (id 1).
bool read_zip64(const Reader& reader, uint64_t at, uint64_t size, CentralEntry& entry) {
  const uint64_t end = at + size;
  while (at + 4 <= end) {
    const uint16_t id = *reader.get<uint16_t>(at);
    const uint64_t length = *reader.get<uint16_t>(at + 2);
    if (length > end - at - 4) return false;
    if (id == 1) {
      uint64_t field = at + 4;
      const uint64_t field_end = field + length;
      for (uint64_t* value : {&entry.member.size, &entry.member.packed_size, &entry.local_header}) {
        if (*value != 0xffffffffu) continue;
        if (field + 8 > field_end) return false;
        *value = *reader.get<uint64_t>(field);
        field += 8;
      }
      return true;
    }
    at += 4 + length;
  }
  return true;
}

std::optional<CentralEntry> read_entry(const Reader& reader, uint64_t at) {
  if (!reader.fits(at, 46) || *reader.get<uint32_t>(at) != kCentralHeader) return std::nullopt;
  const uint16_t flags = *reader.get<uint16_t>(at + 8);
  const uint16_t method = *reader.get<uint16_t>(at + 10);
  if ((flags & 1) != 0 || (method != 0 && method != 8)) return std::nullopt;
  CentralEntry entry;
  entry.member.deflated = method == 8;
  entry.member.packed_size = *reader.get<uint32_t>(at + 20);
  entry.member.size = *reader.get<uint32_t>(at + 24);
  const uint64_t name_size = *reader.get<uint16_t>(at + 28);
  const uint64_t extra_size = *reader.get<uint16_t>(at + 30);
  const uint64_t comment_size = *reader.get<uint16_t>(at + 32);
  entry.local_header = *reader.get<uint32_t>(at + 42);
  if (!reader.fits(at + 46, name_size + extra_size + comment_size)) return std::nullopt;
  const auto name = reader.part(at + 46, name_size);
  entry.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  if (!read_zip64(reader, at + 46 + name_size, extra_size, entry)) return std::nullopt;
  entry.next = at + 46 + name_size + extra_size + comment_size;
  return entry;
}

// The data starts after the local header, whose own name and extra field (PyTorch's padding) are skipped.
bool locate_data(const Reader& reader, CentralEntry& entry) {
  const uint64_t at = entry.local_header;
  if (!reader.fits(at, 30) || *reader.get<uint32_t>(at) != kLocalHeader) return false;
  entry.member.begin = at + 30 + *reader.get<uint16_t>(at + 26) + *reader.get<uint16_t>(at + 28);
  if (!reader.fits(entry.member.begin, entry.member.packed_size)) return false;
  return entry.member.deflated || entry.member.size == entry.member.packed_size;
}

}  // namespace

Result<ZipReader> ZipReader::open(const SharedBytes& bytes) {
  const Reader reader(bytes->bytes());
  const auto directory = find_directory(reader);
  if (!directory) return bad_zip(bytes, "no end of the zip directory: the file is cut off or damaged");
  if (directory->members > kMaxMembers)
    return bad_zip(bytes, "more than 200,000 members in the zip directory");
  ZipReader zip(bytes);
  uint64_t at = directory->begin;
  for (uint64_t i = 0; i < directory->members; ++i) {
    auto entry = read_entry(reader, at);
    if (!entry || !locate_data(reader, *entry)) {
      return bad_zip(bytes,
                     fmt::format("entry {} of the zip directory is damaged or of an unsupported kind", i));
    }
    at = entry->next;
    if (!zip.members_.emplace(entry->name, entry->member).second) {
      return bad_zip(bytes, fmt::format("the member \"{}\" twice", printable(entry->name)));
    }
  }
  return zip;
}

const ZipMember* ZipReader::find(std::string_view name) const {
  const auto found = members_.find(std::string(name));
  return found == members_.end() ? nullptr : &found->second;
}

std::span<const std::byte> ZipReader::stored(const ZipMember& member) const {
  return bytes_->bytes().subspan(member.begin, member.packed_size);
}

Result<std::vector<std::byte>> ZipReader::read(const ZipMember& member, uint64_t limit) const {
  const auto packed = stored(member);
  if (!member.deflated && member.size <= limit) return std::vector<std::byte>(packed.begin(), packed.end());
  // Deflate cannot shrink by more than about 1,032 times, so a larger claim is false before any memory is
  // taken.
  if (member.size > limit || member.size / 1040 > member.packed_size) {
    return bad_zip(bytes_, fmt::format("a packed member that would take {} bytes", member.size));
  }
  std::vector<std::byte> out(member.size);
  if (!inflate_into(packed, DeflateForm::raw, out)) return bad_zip(bytes_, "a packed member is damaged");
  return out;
}

}  // namespace maquette::weights
