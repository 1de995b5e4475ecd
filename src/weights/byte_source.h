// ByteSource: the bytes of a weight file, mapped from disk or held in memory, shared by the tensors cut from
// them; and the arithmetic for offsets and sizes that come from such bytes and cannot be trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "tensor/tensor.h"

namespace maquette::weights {

class ByteSource {
 public:
  // The mapped file; pages are read when touched.
  static Result<std::shared_ptr<const ByteSource>> map(const fs::path& path);
  // A copy of bytes that came from elsewhere (tests, fuzzers); `name` takes the place of the path in
  // messages.
  static std::shared_ptr<const ByteSource> copy(std::span<const std::byte> bytes, std::string_view name);

  std::span<const std::byte> bytes() const;
  const fs::path& path() const { return path_; }
  // Tells the system that a part is no longer needed in memory; nothing happens for bytes that are not
  // mapped.
  void release(std::span<const std::byte> part) const;

 private:
  ByteSource(std::variant<MappedFile, std::vector<std::byte>> storage, fs::path path)
      : storage_(std::move(storage)), path_(std::move(path)) {}

  std::variant<MappedFile, std::vector<std::byte>> storage_;
  fs::path path_;
};

using SharedBytes = std::shared_ptr<const ByteSource>;

// a + b and a * b, or nothing where the result does not fit.
std::optional<uint64_t> checked_add(uint64_t a, uint64_t b);
std::optional<uint64_t> checked_multiply(uint64_t a, uint64_t b);

// The shape with its number of elements known to be below 2^48 (so that no product with an element size can
// overflow), or nothing for negative sizes, too many elements, or more than Shape::kMaxRank dimensions.
std::optional<Shape> checked_shape(std::span<const int64_t> sizes);

// A name from a file made safe to print: control characters replaced, cut after 120 bytes.
std::string printable(std::string_view name);

// A tensor over `part` of the source: the memory itself where it is aligned for the element type, a copy
// otherwise. f64 and the 8-bit floating forms, which no kernel takes, are returned converted to f32. `part`
// must hold exactly shape.elements() elements of `stored`.
Tensor tensor_over(const SharedBytes& source, std::span<const std::byte> part, const Shape& shape,
                   DType stored);
// The element type that tensor_over returns for a stored one.
DType delivered_type(DType stored);

}  // namespace maquette::weights
