#include "base/file_lock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

#include "base/error.h"

namespace maquette {

FileLock::FileLock(const std::filesystem::path& path) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    const int error = errno;
    const ErrorCode code = error == ENOENT ? ErrorCode::not_found : ErrorCode::failed;
    throw Error(code, "cannot write \"{}\"", path.string()).with("found", std::strerror(error));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const bool taken = errno == EWOULDBLOCK;
    ::close(descriptor_);
    throw Error(taken ? ErrorCode::conflict : ErrorCode::failed, "cannot lock \"{}\"", path.string())
        .with("found", taken ? "another process writes here" : "the file system knows no locks");
  }
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace maquette
