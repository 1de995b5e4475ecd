// What the fuzzers of the weight formats share: a file that opens is read whole, tensor by tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weights/weight_file.h"

namespace maquette::fuzz {

inline weights::SharedBytes source_of(const uint8_t* data, size_t size) {
  return weights::ByteSource::copy(std::as_bytes(std::span(data, size)), "input");
}

// Every tensor is refused or gives as many bytes as its shape says; touching the last one lets the address
// sanitizer see that they are there.
inline void read_all(const Result<weights::SharedWeightFile>& file) {
  if (!file) return;
  for (const weights::TensorInfo& info : (*file)->tensors()) {
    const Result<Tensor> tensor = (*file)->read(info.name);
    if (!tensor || tensor->bytes() == 0) continue;
    const auto* bytes = static_cast<const volatile std::byte*>(tensor->raw());
    static_cast<void>(bytes[0]);
    static_cast<void>(bytes[tensor->bytes() - 1]);
  }
}

}  // namespace maquette::fuzz
