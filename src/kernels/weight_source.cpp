#include "kernels/weight_source.h"

#include <algorithm>
#include <cstring>

#include "base/mapped_pages.h"
#include "kernels/row_ops.h"
#include "kernels/threads.h"

namespace maquette::kernels {

WeightRows::WeightRows(Tensor whole)
    : shape_(whole.shape()), type_(whole.dtype()), tensor_(std::move(whole)) {}

size_t WeightRows::row_bytes() const {
  return static_cast<size_t>(shape_.elements() / std::max<int64_t>(count(), 1)) * size_of(type_);
}

const void* WeightRows::read(int64_t begin, int64_t end, void* room) const {
  if (tensor_.defined()) {
    return static_cast<const std::byte*>(tensor_.raw()) + static_cast<size_t>(begin) * row_bytes();
  }
  fill_(begin, end, room);
  return room;
}

Tensor WeightRows::whole() const {
  if (tensor_.defined()) return tensor_;
  Tensor whole = Tensor::empty(shape_, type_);
  constexpr int64_t kGrain = 16;  // rows
  parallel_for(count(), kGrain, [&](int64_t begin, int64_t end) {
    fill_(begin, end, static_cast<std::byte*>(whole.raw()) + static_cast<size_t>(begin) * row_bytes());
  });
  return whole;
}

WeightRows WeightRows::stacked(std::vector<WeightRows> parts) {
  if (parts.size() == 1) return parts[0];
  const DType type = parts[0].dtype();
  const bool same =
      std::ranges::all_of(parts, [type](const WeightRows& part) { return part.dtype() == type; });
  int64_t rows = 0;
  for (WeightRows& part : parts) {
    rows += part.count();
    if (!same) part = WeightRows(widen(part.whole()));
  }
  const Shape shape{rows, parts[0].shape()[1]};
  const auto fill = [parts = std::move(parts)](int64_t begin, int64_t end, void* out) {
    auto* to = static_cast<std::byte*>(out);
    for (const WeightRows& part : parts) {
      const int64_t first = std::clamp<int64_t>(begin, 0, part.count());
      const int64_t last = std::clamp<int64_t>(end, 0, part.count());
      const size_t bytes = static_cast<size_t>(last - first) * part.row_bytes();
      if (bytes > 0) {
        const void* from = part.read(first, last, to);
        if (from != to) std::memcpy(to, from, bytes);
      }
      to += bytes;
      begin -= part.count();
      end -= part.count();
    }
  };
  return {shape, same ? type : DType::f32, fill};
}

WeightSource WeightSource::reshape(const Shape& shape) const {
  if (tensor_.defined()) return {tensor_.reshape(shape)};
  if (shape.elements() != shape_.elements()) {
    throw Error(ErrorCode::failed, "cannot reshape {} to {}", shape_.text(), shape.text());
  }
  return {shape, open_};
}

void WeightSource::release() const {
  if (!tensor_.defined()) return;
  release_mapped_pages({static_cast<const std::byte*>(tensor_.raw()), tensor_.bytes()});
}

}  // namespace maquette::kernels
