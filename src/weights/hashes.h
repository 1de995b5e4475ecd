// The hashes by which models are known elsewhere.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace maquette::weights {

struct FileHashes {
  std::string sha256;        // of the whole file
  std::string a1111_short;   // its first 10 digits: "Model hash" in A1111's picture text
  std::string a1111_legacy;  // first 8 digits of the SHA-256 of 0x10000 bytes at 0x100000 (A1111 before 1.0)
  // "0x" and the SHA-256 of the bytes after a safetensors header: modelspec.hash_sha256. Its first 12 digits
  // are the hash that LoRA tools store. Empty for other formats.
  std::string tensors;
  std::string short_tensors;  // those 12 digits
};

// Reads the whole file. Errors: not found, not a file.
Result<FileHashes> hash_file(const std::filesystem::path& path);
Json to_json(const FileHashes& hashes);

}  // namespace maquette::weights
