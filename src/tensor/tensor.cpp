#include "tensor/tensor.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "tensor/memory.h"

namespace maquette {

Tensor Tensor::empty(const Shape& shape, DType type) {
  const size_t bytes = static_cast<size_t>(shape.elements()) * size_of(type);
  void* data = allocate_memory(bytes);
  return wrap(shape, type, data,
              std::shared_ptr<const void>(data, [](const void* p) { std::free(const_cast<void*>(p)); }));
}

Tensor Tensor::zeros(const Shape& shape, DType type) {
  Tensor t = empty(shape, type);
  std::memset(t.data_, 0, t.bytes());
  return t;
}

Tensor Tensor::full(const Shape& shape, float value) {
  Tensor t = empty(shape);
  std::ranges::fill(t.data(), value);
  return t;
}

Tensor Tensor::wrap(const Shape& shape, DType type, void* data, std::shared_ptr<const void> owner) {
  Tensor t;
  t.shape_ = shape;
  t.type_ = type;
  t.data_ = data;
  t.owner_ = std::move(owner);
  return t;
}

Tensor Tensor::reshape(const Shape& shape) const {
  if (shape.elements() != elements()) {
    throw Error(ErrorCode::failed, "cannot view a tensor of shape {} as {}", shape_.text(), shape.text());
  }
  Tensor t = *this;
  t.shape_ = shape;
  return t;
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  if (rank() == 0 || begin < 0 || end < begin || end > shape_[0]) {
    throw Error(ErrorCode::failed, "cannot take rows {} to {} of a tensor of shape {}", begin, end,
                shape_.text());
  }
  const int64_t row = shape_[0] == 0 ? 0 : elements() / shape_[0];
  Tensor t = *this;
  t.shape_.set(0, end - begin);
  t.data_ = static_cast<std::byte*>(data_) + static_cast<size_t>(begin * row) * size_of(type_);
  return t;
}

Tensor Tensor::clone() const {
  Tensor t = empty(shape_, type_);
  if (bytes() > 0) std::memcpy(t.data_, data_, bytes());
  return t;
}

namespace {

// One element of any numeric form as float; the switch is outside the loops.
template <typename T, typename Convert>
void widen(const Tensor& from, Tensor& to, Convert convert) {
  const auto* source = static_cast<const T*>(from.raw());
  auto target = to.data<float>();
  for (size_t i = 0; i < target.size(); ++i) target[i] = convert(source[i]);
}

Tensor to_f32(const Tensor& t) {
  Tensor out = Tensor::empty(t.shape());
  const auto plain = [](auto v) { return static_cast<float>(v); };
  switch (t.dtype()) {
    case DType::f32: return t;
    case DType::f16: widen<uint16_t>(t, out, f16_to_f32); break;
    case DType::bf16: widen<bfloat16>(t, out, plain); break;
    case DType::f8_e4m3: widen<uint8_t>(t, out, f8_e4m3_to_f32); break;
    case DType::f8_e5m2: widen<uint8_t>(t, out, f8_e5m2_to_f32); break;
    case DType::f64: widen<double>(t, out, plain); break;
    case DType::i64: widen<int64_t>(t, out, plain); break;
    case DType::i32: widen<int32_t>(t, out, plain); break;
    case DType::i16: widen<int16_t>(t, out, plain); break;
    case DType::i8: widen<int8_t>(t, out, plain); break;
    case DType::u8:
    case DType::boolean: widen<uint8_t>(t, out, plain); break;
  }
  return out;
}

}  // namespace

Tensor Tensor::to(DType type) const {
  if (type == type_) return *this;
  const Tensor wide = to_f32(*this);
  const auto source = wide.data<float>();
  Tensor out = empty(shape_, type);
  switch (type) {
    case DType::f32: return wide;
    case DType::bf16:
      std::ranges::transform(source, out.data<bfloat16>().begin(), [](float v) { return bfloat16(v); });
      return out;
    case DType::f16:
      std::ranges::transform(source, static_cast<uint16_t*>(out.data_), f32_to_f16);
      return out;
    default: throw Error(ErrorCode::failed, "cannot convert a tensor to {}", name(type));
  }
}

void Tensor::check_type(DType wanted) const {
  if (type_ != wanted) {
    throw Error(ErrorCode::failed, "cannot read a tensor of {} as {}", name(type_), name(wanted));
  }
}

double relative_error(const Tensor& a, const Tensor& reference) {
  if (!(a.shape() == reference.shape())) {
    throw Error(ErrorCode::failed, "cannot compare tensors of shapes {} and {}", a.shape().text(),
                reference.shape().text());
  }
  double difference = 0;
  double largest = 0;
  const auto x = a.data();
  const auto y = reference.data();
  for (size_t i = 0; i < x.size(); ++i) {
    const double d = std::abs(static_cast<double>(x[i]) - y[i]);
    if (!(d <= difference)) difference = d;  // keeps NaN
    largest = std::max(largest, std::abs(static_cast<double>(y[i])));
  }
  return difference / std::max(largest, 1e-30);
}

}  // namespace maquette
