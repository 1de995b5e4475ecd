// Shape: the sizes of a tensor, outermost first.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace maquette {

class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const int64_t> sizes);  // throws Error beyond kMaxRank

  int rank() const { return rank_; }
  // Negative counts from the end, as in Python.
  int64_t operator[](int i) const { return sizes_[static_cast<size_t>(i < 0 ? i + rank_ : i)]; }
  void set(int i, int64_t size) { sizes_[static_cast<size_t>(i < 0 ? i + rank_ : i)] = size; }
  int64_t elements() const;  // product of the sizes; 1 for a scalar
  std::span<const int64_t> sizes() const { return {sizes_.data(), static_cast<size_t>(rank_)}; }

  bool operator==(const Shape& other) const;
  std::string text() const;  // "[2, 4, 64, 64]"

 private:
  std::array<int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

}  // namespace maquette
