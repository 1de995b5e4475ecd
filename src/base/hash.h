// SHA-256 of bytes and files, as lower-case hexadecimal or as its 32 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace maquette {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  std::string hex();  // ends the sum: call once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

using Digest = std::array<std::byte, 32>;
// For trees of many small sums: nothing is allocated.
Digest sha256(std::string_view bytes);

std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);
// Throws Error(not_found) where the file cannot be read.
std::string sha256_hex_of_file(const std::filesystem::path& path);

// 64 lower-case hexadecimal digits.
bool is_sha256(std::string_view text);

}  // namespace maquette
