#include "base/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/mapped_pages.h"
#include "base/partial_files.h"
#include "base/sync.h"

namespace maquette {

namespace {

Error cannot(std::string_view verb, const fs::path& path, int error) {
  const ErrorCode code = error == ENOENT ? ErrorCode::not_found : ErrorCode::failed;
  return Error(code, "cannot {} \"{}\"", verb, path.string()).with("found", std::strerror(error));
}

}  // namespace

namespace {

// The mappings that are alive, by the address of their first byte.
struct Mappings {
  std::mutex mutex;
  std::map<uintptr_t, size_t> sizes;

  static Mappings& all() {
    static auto* mappings = new Mappings;  // never destroyed: files may outlive other statics
    return *mappings;
  }
};

uintptr_t address(const void* data) { return reinterpret_cast<uintptr_t>(data); }

// The whole pages inside a part of a mapped file leave memory.
void give_pages_back(std::span<const std::byte> part) {
  static const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (address(part.data()) + page - 1) / page * page;
  const uintptr_t end = address(part.data() + part.size()) / page * page;
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace

void release_mapped_pages(std::span<const std::byte> part) {
  Mappings& mappings = Mappings::all();
  const std::lock_guard lock(mappings.mutex);
  auto after = mappings.sizes.upper_bound(address(part.data()));
  if (after == mappings.sizes.begin()) return;
  const auto& [begin, size] = *--after;
  if (address(part.data()) + part.size() <= begin + size) give_pages_back(part);
}

Result<MappedFile> MappedFile::open(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return cannot("read", path, errno);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return Error(ErrorCode::bad_file, "cannot read \"{}\"", path.string())
        .with("found", "not a regular file")
        .with("expected", "a file");
  }
  MappedFile file;
  file.path_ = path;
  file.size_ = static_cast<size_t>(status.st_size);
  if (file.size_ > 0) {
    void* data = ::mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) {
      const int error = errno;
      ::close(descriptor);
      return cannot("map", path, error);
    }
    file.data_ = static_cast<const std::byte*>(data);
    Mappings& mappings = Mappings::all();
    const std::lock_guard lock(mappings.mutex);
    mappings.sizes.emplace(address(data), file.size_);
  }
  ::close(descriptor);
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!data_) return;
  Mappings& mappings = Mappings::all();
  const std::lock_guard lock(mappings.mutex);
  mappings.sizes.erase(address(data_));
  ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const { give_pages_back(part); }

Result<std::string> read_text_file(const fs::path& path, size_t limit) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file) return file.error();
  if (file->bytes().size() > limit) {
    return Error(ErrorCode::bad_file, "cannot read \"{}\"", path.string())
        .with("found", fmt::format("{} bytes", file->bytes().size()))
        .with("expected", fmt::format("at most {} bytes", limit));
  }
  const auto bytes = file->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string read_stream_file(const fs::path& path) {
  std::ifstream stream(path);
  std::string text(size_t{1} << 20, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  return text;
}

namespace {

// A process tidies each folder once, before it first writes there.
void tidy_once(const fs::path& folder) {
  static std::mutex mutex;
  static auto* tidied = new std::set<fs::path>;  // never destroyed: files may be written while statics go
  const std::lock_guard lock(mutex);
  if (tidied->insert(folder).second) remove_stale_partial_files(folder);
}

}  // namespace

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)), temporary_(partial_name(path_)) {
  tidy_once(path_.parent_path());
}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::commit() {
  sync_file(temporary_, path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw cannot("write", path_, errno);
  committed_ = true;
  sync_folder(path_.parent_path());
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  const int descriptor = ::open(file.temporary().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) throw cannot("write", path, errno);
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int error = errno;
      ::close(descriptor);
      throw cannot("write", path, error);
    }
    done += static_cast<size_t>(wrote);
  }
  if (::close(descriptor) != 0) throw cannot("write", path, errno);
  file.commit();
}

}  // namespace maquette
