#include "weights/hashes.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "weights/byte_source.h"

namespace maquette::weights {

Result<FileHashes> hash_file(const fs::path& path) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file) return file.error();
  const auto bytes = file->bytes();
  FileHashes hashes;

  // A safetensors file starts with the length of its header, which is a JSON object.
  size_t data_begin = 0;
  if (bytes.size() > 8 && bytes[8] == std::byte{'{'}) {
    uint64_t header = 0;
    std::memcpy(&header, bytes.data(), 8);
    if (header <= bytes.size() - 8) data_begin = 8 + static_cast<size_t>(header);
  }

  // One pass in pieces, each given back to the system after it, so that hashing 7 GB does not push out
  // everything.
  constexpr size_t kPiece = size_t{16} << 20;
  Sha256 whole;
  Sha256 tensors;
  for (size_t at = 0; at < bytes.size(); at += kPiece) {
    const auto piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
    whole.update(piece);
    if (data_begin > 0 && at + piece.size() > data_begin) {
      tensors.update(piece.subspan(data_begin > at ? data_begin - at : 0));
    }
    file->release(piece);
  }
  hashes.sha256 = whole.hex();
  hashes.a1111_short = hashes.sha256.substr(0, 10);
  if (data_begin > 0) {
    hashes.tensors = "0x" + tensors.hex();
    hashes.short_tensors = hashes.tensors.substr(2, 12);
  }
  constexpr size_t kLegacyBegin = 0x100000;
  constexpr size_t kLegacySize = 0x10000;
  const size_t begin = std::min(kLegacyBegin, bytes.size());
  hashes.a1111_legacy =
      sha256_hex(bytes.subspan(begin, std::min(kLegacySize, bytes.size() - begin))).substr(0, 8);
  return hashes;
}

Json to_json(const FileHashes& hashes) {
  Json json = {
      {"sha256", hashes.sha256}, {"a1111", hashes.a1111_short}, {"a1111_legacy", hashes.a1111_legacy}};
  if (!hashes.tensors.empty()) {
    json["tensors"] = hashes.tensors;
    json["tensors_short"] = hashes.short_tensors;
  }
  return json;
}

}  // namespace maquette::weights
