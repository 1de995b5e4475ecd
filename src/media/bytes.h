// Reading and writing numbers in byte sequences that come from outside: every access is bounds-checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace maquette::media {

using Bytes = std::span<const std::byte>;

enum class Endian { little, big };

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The `size` bytes at `offset`; nothing where they do not all exist.
inline std::optional<Bytes> slice(Bytes bytes, size_t offset, size_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, size);
}

// An unsigned number of 1 to 8 bytes at `offset`; nothing where it leaves the bytes.
template <typename T>
std::optional<T> read_number(Bytes bytes, size_t offset, Endian endian) {
  const std::optional<Bytes> part = slice(bytes, offset, sizeof(T));
  if (!part) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    const size_t at = endian == Endian::big ? i : sizeof(T) - 1 - i;
    value = value << 8 | std::to_integer<uint64_t>((*part)[at]);
  }
  return static_cast<T>(value);
}

template <typename T>
void append_number(std::string& out, T value, Endian endian) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    const size_t shift = 8 * (endian == Endian::big ? sizeof(T) - 1 - i : i);
    out += static_cast<char>(static_cast<uint64_t>(value) >> shift & 0xff);
  }
}

}  // namespace maquette::media
