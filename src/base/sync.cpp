#include "base/sync.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"

namespace maquette {

namespace {

// Returns 0, or the system's error.
int sync_path(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (descriptor < 0) return errno;
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  return error;
}

void throw_if(int error, const std::filesystem::path& path) {
  if (error == 0) return;
  const ErrorCode code = error == ENOENT ? ErrorCode::not_found : ErrorCode::failed;
  throw Error(code, "cannot write \"{}\"", path.string()).with("found", std::strerror(error));
}

}  // namespace

void sync_file(const std::filesystem::path& path, const std::filesystem::path& shown) {
  throw_if(sync_path(path, 0), shown);
}

void sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder.empty() ? "." : folder;
  const int error = sync_path(path, O_DIRECTORY);
  // A folder may be writable and yet not readable; some file systems refuse to sync folders.
  if (error != EINVAL && error != EACCES) throw_if(error, path);
}

}  // namespace maquette
