// Files: memory-mapped reading, and writing that leaves either the old file or the whole new one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace maquette {

namespace fs = std::filesystem;

// A file mapped read-only. Movable; the bytes stay valid for as long as the object lives.
class MappedFile {
 public:
  static Result<MappedFile> open(const fs::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const fs::path& path() const { return path_; }

  // Tells the system that these pages are no longer needed in memory (they come back from the file if read).
  void release(std::span<const std::byte> part) const;

 private:
  MappedFile() = default;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  fs::path path_;
};

// Whole text files (configurations, vocabularies); larger than `limit` bytes is an error.
Result<std::string> read_text_file(const fs::path& path, size_t limit = size_t{64} << 20);

// Files of the system that have no size (/proc): what there is, at most 1 MiB; empty where it cannot be read.
std::string read_stream_file(const fs::path& path);

// Writes a temporary file beside `path`, then renames it: a full disk or a kill leaves the old file, or none,
// never half of one. What a kill leaves is hidden (partial_files.h) and goes when the next process writes in
// the same folder. AtomicFile is for libraries that want a path to write to (the temporary name keeps the
// extension). Both throw Error where the system refuses.
void write_file_atomically(const fs::path& path, std::string_view bytes);

class AtomicFile {
 public:
  explicit AtomicFile(fs::path path);
  ~AtomicFile();  // removes the temporary file unless committed
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const fs::path& temporary() const { return temporary_; }
  void commit();  // flushes to disk and renames

 private:
  fs::path path_;
  fs::path temporary_;
  bool committed_ = false;
};

}  // namespace maquette
