// Tensor: a dense, contiguous, row-major array with a shape and an element type, sharing its memory when
// copied.
//
// There is no arithmetic here (see kernels/). Conventions of the whole program:
//   pictures and latents at the borders of the engine   [N, C, H, W]  f32, as PyTorch has them
//   activations inside networks                         [N, H, W, C]  f32 or bf16
//   sequences (text, flattened pictures)                [N, T, C]
// With channels last, a picture and a sequence are the same bytes, so no transformer block moves memory.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace maquette {

template <typename T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<bfloat16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::i64;
};

class Tensor {
 public:
  Tensor() = default;

  // Memory is 64-byte aligned. `empty` leaves it uninitialised.
  static Tensor empty(const Shape& shape, DType type = DType::f32);
  static Tensor zeros(const Shape& shape, DType type = DType::f32);
  static Tensor full(const Shape& shape, float value);  // f32
  template <typename T>
  static Tensor from(const Shape& shape, std::span<const T> values);
  static Tensor from(const Shape& shape, std::initializer_list<float> values) {
    return from<float>(shape, std::span(values.begin(), values.size()));
  }
  // Wraps memory owned by something else (a mapped file, a buffer of a pool), kept alive by `owner`.
  static Tensor wrap(const Shape& shape, DType type, void* data, std::shared_ptr<const void> owner);

  bool defined() const { return data_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int64_t size(int i) const { return shape_[i]; }
  int rank() const { return shape_.rank(); }
  int64_t elements() const { return shape_.elements(); }
  size_t bytes() const { return static_cast<size_t>(elements()) * size_of(type_); }
  DType dtype() const { return type_; }

  void* raw() { return data_; }
  const void* raw() const { return data_; }
  // The elements; throws Error where T is not the element type (a programmer's mistake, but never silent).
  template <typename T = float>
  std::span<T> data() {
    check_type(DTypeOf<T>::value);
    return {static_cast<T*>(data_), static_cast<size_t>(elements())};
  }
  template <typename T = float>
  std::span<const T> data() const {
    check_type(DTypeOf<T>::value);
    return {static_cast<const T*>(data_), static_cast<size_t>(elements())};
  }

  Tensor reshape(const Shape& shape) const;       // same elements; shares the memory
  Tensor rows(int64_t begin, int64_t end) const;  // part of the outermost dimension; shares the memory
  Tensor clone() const;                           // memory of its own
  Tensor to(DType type) const;                    // converted copy; the tensor itself if already so

 private:
  void check_type(DType wanted) const;

  Shape shape_;
  DType type_ = DType::f32;
  void* data_ = nullptr;
  std::shared_ptr<const void> owner_;
};

template <typename T>
Tensor Tensor::from(const Shape& shape, std::span<const T> values) {
  Tensor t = empty(shape, DTypeOf<T>::value);
  if (static_cast<size_t>(t.elements()) != values.size()) {
    throw Error(ErrorCode::failed, "cannot fill a tensor of shape {} with {} values", shape.text(),
                values.size());
  }
  std::copy(values.begin(), values.end(), t.template data<T>().begin());
  return t;
}

// Largest difference over the largest value of the reference: max|a - b| / max|b|. f32.
double relative_error(const Tensor& a, const Tensor& reference);

}  // namespace maquette
