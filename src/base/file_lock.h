// A lock on a file that one process holds; the system takes it back when the process ends, however it ends.
#pragma once

#include <filesystem>

namespace maquette {

class FileLock {
 public:
  // Makes the file where it is missing. Throws Error(conflict) where somebody else holds it, and
  // Error(failed, not_found) where the file cannot be made.
  explicit FileLock(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  int descriptor_ = -1;
};

}  // namespace maquette
