#include "base/record_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace maquette {

namespace {

constexpr size_t kSizeDigits = 16;
constexpr size_t kSumDigits = 64;
constexpr size_t kFrame = kSizeDigits + kSumDigits;

Error cannot(std::string_view verb, const std::filesystem::path& path, int error) {
  return Error(error == ENOENT ? ErrorCode::not_found : ErrorCode::failed, "cannot {} \"{}\"", verb,
               path.string())
      .with("found", std::strerror(error));
}

// Fewer bytes than asked for where the file ends, or cannot be read.
std::string read_at(int descriptor, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(descriptor, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

uint64_t size_of_file(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

std::optional<uint64_t> parse_hexadecimal(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) {
    const size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + digit;
  }
  return value;
}

}  // namespace

RecordFile::RecordFile(const std::filesystem::path& path, std::string_view header)
    : path_(path), header_(header) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
  if (descriptor_ < 0) throw cannot("open", path, errno);
  try {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
      throw Error(ErrorCode::bad_file, "cannot open \"{}\"", path.string())
          .with("found", "not a regular file");
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      throw Error(ErrorCode::failed, "cannot use \"{}\"", path.string())
          .with("found", errno == EWOULDBLOCK ? "another process uses it" : std::strerror(errno));
    }
    const std::string begin = read_at(descriptor_, 0, header_.size());
    if (begin != header_) {
      had_another_header_ = !begin.empty();
      if (::ftruncate(descriptor_, 0) != 0) throw cannot("write", path, errno);
      write_at(0, header_);
    }
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
  rewind();
}

RecordFile::~RecordFile() { ::close(descriptor_); }

void RecordFile::rewind() {
  at_ = previous_ = header_.size();
  number_ = 0;
}

void RecordFile::step_back() {
  if (at_ == previous_) return;
  at_ = previous_;
  --number_;
}

std::string RecordFile::sum_of(std::string_view bytes) const {
  Sha256 sum;
  sum.update(header_);
  sum.update(fmt::format("{} ", number_));
  sum.update(bytes);
  return sum.hex();
}

std::optional<std::string> RecordFile::read() {
  const std::string frame = read_at(descriptor_, at_, kFrame);
  if (frame.size() != kFrame) return std::nullopt;
  const std::optional<uint64_t> size = parse_hexadecimal(std::string_view(frame).substr(0, kSizeDigits));
  const uint64_t left = size_of_file(descriptor_) - std::min(size_of_file(descriptor_), at_ + kFrame);
  if (!size || *size > left) return std::nullopt;
  std::string bytes = read_at(descriptor_, at_ + kFrame, *size);
  if (bytes.size() != *size || sum_of(bytes) != frame.substr(kSizeDigits)) return std::nullopt;
  previous_ = at_;
  at_ += kFrame + *size;
  ++number_;
  return bytes;
}

void RecordFile::write_at(uint64_t offset, std::string_view bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t wrote =
        ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw cannot("write", path_, errno);
    done += static_cast<size_t>(wrote);
  }
}

void RecordFile::append(std::string_view bytes) {
  if (::ftruncate(descriptor_, static_cast<off_t>(at_)) != 0) throw cannot("write", path_, errno);
  const std::string frame = fmt::format("{:0{}x}{}", bytes.size(), kSizeDigits, sum_of(bytes));
  try {
    write_at(at_, frame);
    write_at(at_ + kFrame, bytes);
  } catch (const Error&) {
    // What is left of the record would be noticed, but a full disk can use the room.
    if (::ftruncate(descriptor_, static_cast<off_t>(at_)) != 0) throw cannot("write", path_, errno);
    throw;
  }
  previous_ = at_;
  at_ += kFrame + bytes.size();
  ++number_;
}

}  // namespace maquette
