// Zip archives: written so that equal entries give equal bytes, read with limits, since they come
// from outside. Nothing is ever unpacked to disk. The one place that knows libzip.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "media/bytes.h"

namespace maquette::media {

struct ZipEntry {
  std::string name;  // UTF-8, with "/" between folders
  std::string bytes;
  bool compressed = true;  // deflate; otherwise stored as it is
};

// In the order given, with the same date (1980-01-01) for all. Throws Error(failed).
std::string write_zip(const std::vector<ZipEntry>& entries);

// Files of the disk, stored as they are, into a new archive at `out`: read piece by piece, whatever their
// size.
struct ZipFile {
  std::string name;
  std::filesystem::path file;
};
void write_zip_of_files(const std::filesystem::path& out, const std::vector<ZipFile>& files);

struct ZipLimits {
  size_t entries = 20'000;
  uint64_t entry_bytes = uint64_t{1} << 30;  // of one entry, unpacked
  uint64_t all_bytes = uint64_t{4} << 30;    // of everything that is read, unpacked
};

// An archive whose bytes stay where they are for as long as the reader lives.
class ZipReader {
 public:
  static Result<ZipReader> open(Bytes archive, const ZipLimits& limits = {});
  ZipReader(ZipReader&&) noexcept;
  ZipReader& operator=(ZipReader&&) noexcept;
  ~ZipReader();

  bool contains(const std::string& name) const;
  // The unpacked bytes, checked against their checksum. Refuses encrypted entries, compressions other than
  // deflate, names that leave the archive's folder ("/x", "../x") and what is over the limits.
  Result<std::string> read(const std::string& name);

 private:
  struct State;
  explicit ZipReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace maquette::media
