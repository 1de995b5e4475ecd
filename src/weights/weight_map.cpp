#include "weights/weight_map.h"

#include <cstring>

namespace maquette::weights {

const WeightSource* WeightMap::find(std::string_view name) const {
  const auto found = sources_.find(name);
  return found == sources_.end() ? nullptr : &found->second;
}

bool WeightMap::has_below(std::string_view prefix) const {
  const std::string start = std::string(prefix) + ".";
  const auto found = sources_.lower_bound(start);
  return found != sources_.end() && found->first.starts_with(start);
}

int WeightMap::count(std::string_view prefix) const {
  int n = 0;
  while (has_below(fmt::format("{}.{}", prefix, n))) ++n;
  return n;
}

namespace {

std::optional<Shape> transformed(const Shape& stored, const WeightSource& source) {
  Shape shape = stored;
  switch (source.transform) {
    case Transform::none: return shape;
    case Transform::rows:
      if (stored.rank() == 0 || stored[0] % source.parts != 0) return std::nullopt;
      shape.set(0, stored[0] / source.parts);
      return shape;
    case Transform::transpose:
      if (stored.rank() != 2) return std::nullopt;
      return Shape{stored[1], stored[0]};
    case Transform::drop_ones:
      while (shape.rank() > 2 && shape[-1] == 1)
        shape = Shape(shape.sizes().first(static_cast<size_t>(shape.rank() - 1)));
      return shape;
  }
  return shape;
}

// A matrix of any element type, rows and columns exchanged.
Tensor transpose(const Tensor& from) {
  const auto rows = static_cast<size_t>(from.size(0));
  const auto columns = static_cast<size_t>(from.size(1));
  const size_t element = size_of(from.dtype());
  Tensor to = Tensor::empty({from.size(1), from.size(0)}, from.dtype());
  const auto* source = static_cast<const std::byte*>(from.raw());
  auto* target = static_cast<std::byte*>(to.raw());
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      std::memcpy(target + (c * rows + r) * element, source + (r * columns + c) * element, element);
    }
  }
  return to;
}

}  // namespace

std::optional<Shape> WeightMap::shape(std::string_view name) const {
  const WeightSource* source = find(name);
  if (!source) return std::nullopt;
  const TensorInfo* info = source->file->find(source->name);
  return info ? transformed(info->shape, *source) : std::nullopt;
}

Tensor WeightMap::read(std::string_view name) const {
  const WeightSource* source = find(name);
  if (!source) throw Error(ErrorCode::weights, "no tensor \"{}\" among the weights", printable(name));
  const Tensor stored = source->file->read(source->name).take();
  const auto shape = transformed(stored.shape(), *source);
  if (!shape) {
    throw Error(ErrorCode::weights, "cannot use the tensor \"{}\"", printable(name))
        .with("where",
              fmt::format("\"{}\" of \"{}\"", printable(source->name), source->file->path().string()))
        .with("found", stored.shape().text())
        .with("expected",
              source->transform == Transform::rows ? "rows for query, key and value" : "a matrix");
  }
  switch (source->transform) {
    case Transform::none: return stored;
    case Transform::rows: return stored.rows(source->part * (*shape)[0], (source->part + 1) * (*shape)[0]);
    case Transform::transpose: return transpose(stored);
    case Transform::drop_ones: return stored.reshape(*shape);
  }
  return stored;
}

}  // namespace maquette::weights
