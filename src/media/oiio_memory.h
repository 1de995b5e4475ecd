// A file in memory for OpenImageIO to read from or write to. Only the .cpp files that call it include this.
#pragma once

#include <OpenImageIO/filesystem.h>
#include <algorithm>
#include <cstring>
#include <string>

#include "media/bytes.h"

namespace maquette::media {

// Opens bytes for reading. The JPEG decoder insists on OpenImageIO's own class, which reads only, in spite of
// its signature.
inline OIIO::Filesystem::IOMemReader memory_reader(Bytes bytes) {
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

// Bytes skipped by seeking past the end are zero, as in a file.
class MemoryWriter : public OIIO::Filesystem::IOProxy {
 public:
  MemoryWriter() : IOProxy("", Write) {}
  const char* proxytype() const override { return "memory"; }
  size_t write(const void* source, size_t size) override {
    const size_t count = pwrite(source, size, m_pos);
    m_pos += static_cast<int64_t>(count);
    return count;
  }
  size_t pwrite(const void* source, size_t size, int64_t offset) override {
    const auto begin = static_cast<size_t>(offset);
    if (bytes_.size() < begin + size) bytes_.resize(begin + size, '\0');
    std::memcpy(bytes_.data() + begin, source, size);
    return size;
  }
  size_t size() const override { return bytes_.size(); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace maquette::media
