#include "weights/byte_source.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace maquette::weights {

Result<SharedBytes> ByteSource::map(const fs::path& path) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file) return file.error();
  return SharedBytes(new ByteSource(std::move(*file), path));
}

SharedBytes ByteSource::copy(std::span<const std::byte> bytes, std::string_view name) {
  return SharedBytes(new ByteSource(std::vector<std::byte>(bytes.begin(), bytes.end()), fs::path(name)));
}

std::span<const std::byte> ByteSource::bytes() const {
  if (const auto* file = std::get_if<MappedFile>(&storage_)) return file->bytes();
  return std::get<std::vector<std::byte>>(storage_);
}

void ByteSource::release(std::span<const std::byte> part) const {
  if (const auto* file = std::get_if<MappedFile>(&storage_)) file->release(part);
}

std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

std::optional<uint64_t> checked_multiply(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

std::optional<Shape> checked_shape(std::span<const int64_t> sizes) {
  constexpr uint64_t kMaxElements = uint64_t{1} << 48;
  if (sizes.size() > static_cast<size_t>(Shape::kMaxRank)) return std::nullopt;
  // Zero sizes are left out of the bound, so that [0, 2^40, 2^40] is refused as well: code that multiplies
  // some of the sizes (a row, a plane) must not overflow either.
  uint64_t bound = 1;
  for (const int64_t size : sizes) {
    if (size < 0) return std::nullopt;
    const auto product = checked_multiply(bound, size == 0 ? 1 : static_cast<uint64_t>(size));
    if (!product || *product > kMaxElements) return std::nullopt;
    bound = *product;
  }
  return Shape(sizes);
}

std::string printable(std::string_view name) {
  constexpr size_t kLimit = 120;
  std::string text(name.substr(0, kLimit));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (name.size() > kLimit) text += "...";
  return text;
}

DType delivered_type(DType stored) {
  const bool converted = stored == DType::f64 || stored == DType::f8_e4m3 || stored == DType::f8_e5m2;
  return converted ? DType::f32 : stored;
}

namespace {

// The 256 values of an 8-bit form in a table: a hundred times faster than computing each element's.
Tensor widened(std::span<const std::byte> part, const Shape& shape, float (*value_of)(uint8_t)) {
  std::array<float, 256> values{};
  for (size_t i = 0; i < values.size(); ++i) values[i] = value_of(static_cast<uint8_t>(i));
  Tensor tensor = Tensor::empty(shape);
  std::ranges::transform(part, tensor.data().begin(),
                         [&](std::byte b) { return values[std::to_integer<size_t>(b)]; });
  return tensor;
}

}  // namespace

Tensor tensor_over(const SharedBytes& source, std::span<const std::byte> part, const Shape& shape,
                   DType stored) {
  if (stored == DType::f8_e4m3) return widened(part, shape, f8_e4m3_to_f32);
  if (stored == DType::f8_e5m2) return widened(part, shape, f8_e5m2_to_f32);
  const bool aligned = reinterpret_cast<uintptr_t>(part.data()) % size_of(stored) == 0;
  Tensor tensor;
  if (aligned && !part.empty()) {
    tensor = Tensor::wrap(shape, stored, const_cast<std::byte*>(part.data()), source);
  } else {
    tensor = Tensor::empty(shape, stored);
    if (!part.empty()) std::memcpy(tensor.raw(), part.data(), part.size());
  }
  return tensor.to(delivered_type(stored));
}

}  // namespace maquette::weights
