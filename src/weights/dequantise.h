// The quantised element types of GGUF files: how many bytes they take, and their values as f32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tensor/dtype.h"

namespace maquette::weights {

struct GgufType {
  uint32_t id = 0;
  std::string_view name;
  size_t block_elements = 1;  // consecutive elements of a row that are stored together
  size_t block_bytes = 0;
  std::optional<DType> plain;  // the same elements as a plain type; none for quantised blocks
  void (*dequantise)(const uint8_t* block, float* values) = nullptr;  // one block
};

// Nothing for a type that is not supported.
const GgufType* gguf_type(uint32_t id);

// All values of `bytes`, which holds whole blocks; `values` has room for exactly their elements.
void dequantise(const GgufType& type, std::span<const std::byte> bytes, std::span<float> values);

}  // namespace maquette::weights
