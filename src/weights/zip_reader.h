// ZipReader: the members of a zip archive in memory, as PyTorch writes its checkpoints (stored; deflated
// ones, made by re-packing such a file, are inflated).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weights/byte_source.h"

namespace maquette::weights {

struct ZipMember {
  uint64_t begin = 0;  // of the member's data in the archive
  uint64_t packed_size = 0;
  uint64_t size = 0;
  bool deflated = false;
};

class ZipReader {
 public:
  static Result<ZipReader> open(const SharedBytes& bytes);

  const ZipMember* find(std::string_view name) const;
  const std::unordered_map<std::string, ZipMember>& members() const { return members_; }
  // The bytes of a stored member, in place.
  std::span<const std::byte> stored(const ZipMember& member) const;
  // The bytes of any member, inflated where needed; refused beyond `limit` bytes.
  Result<std::vector<std::byte>> read(const ZipMember& member, uint64_t limit) const;

 private:
  explicit ZipReader(SharedBytes bytes) : bytes_(std::move(bytes)) {}

  SharedBytes bytes_;
  std::unordered_map<std::string, ZipMember> members_;
};

}  // namespace maquette::weights
