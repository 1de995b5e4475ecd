// What the weights of a layer are made from: a published tensor, or rows that are computed while they are
// packed (adapters merged into the model's own), so that nobody holds them as a whole.
#pragma once

#include <functional>
#include <vector>

#include "tensor/tensor.h"

namespace maquette::kernels {

// Weights that are being read, row by row of their first dimension.
class WeightRows {
 public:
  // Writes rows [begin, end) to `out`, one after the other, in the type of the weights. Called from several
  // threads at once.
  using Fill = std::function<void(int64_t begin, int64_t end, void* out)>;

  WeightRows(Tensor whole);  // a tensor is its own rows
  WeightRows(const Shape& shape, DType type, Fill fill)
      : shape_(shape), type_(type), fill_(std::move(fill)) {}
  // Parts with rows of one length, one under the other: [rows of all, length]. Of their type where they share
  // one, else f32.
  static WeightRows stacked(std::vector<WeightRows> parts);

  const Shape& shape() const { return shape_; }
  DType dtype() const { return type_; }
  int64_t count() const { return shape_[0]; }
  size_t row_bytes() const;
  // Rows [begin, end) one after the other: where they lie, or computed into `room`, which has row_bytes() for
  // each.
  const void* read(int64_t begin, int64_t end, void* room) const;
  bool needs_room() const { return !tensor_.defined(); }
  Tensor whole() const;

 private:
  Shape shape_;
  DType type_;
  Tensor tensor_;  // or
  Fill fill_;
};

class WeightSource {
 public:
  // Called for each packing; what it needs for that alone (factors in f32) goes with its answer.
  using Open = std::function<WeightRows()>;

  WeightSource(Tensor whole) : shape_(whole.shape()), tensor_(std::move(whole)) {}
  WeightSource(const Shape& shape, Open open) : shape_(shape), open_(std::move(open)) {}

  const Shape& shape() const { return shape_; }
  WeightSource reshape(const Shape& shape) const;  // of as many rows
  WeightRows open() const { return tensor_.defined() ? WeightRows(tensor_) : open_(); }
  // The weights as a whole, [shape()]; computed anew at each call where they are computed.
  Tensor read() const { return open().whole().reshape(shape_); }
  // Gives the pages of a mapped file back that packing has read.
  void release() const;

 private:
  Shape shape_;
  Tensor tensor_;  // or
  Open open_;
};

}  // namespace maquette::kernels
