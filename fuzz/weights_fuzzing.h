// What the weight fuzzers share: everything that the program does with a file once it is open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weights/checkpoint.h"
#include "weights/detect.h"
#include "weights/weight_scope.h"

namespace maquette::weights {

// Reads every tensor of a file that opened (small ones: time is better spent on other bytes), as the file has
// them and as the networks would take them, and describes it. Errors are ordinary outcomes.
inline void use_everything(const Result<SharedWeightFile>& file) {
  constexpr int64_t kMaxElements = int64_t{1} << 20;
  if (!file) return;
  for (const TensorInfo& info : (*file)->tensors()) {
    if (info.shape.elements() > kMaxElements) continue;
    const Result<Tensor> tensor = (*file)->read(info.name);
    if (tensor && !(tensor->shape() == info.shape)) __builtin_trap();
    (*file)->release(info.name);
  }
  const Result<Checkpoint> checkpoint = checkpoint_of(*file);
  if (checkpoint) {
    describe(*checkpoint).to_json();
    for (const Component& component : checkpoint->components) {
      const WeightScope scope(component.weights);
      for (const auto& [name, source] : component.weights.sources()) {
        const auto shape = scope.shape(name);
        if (!shape || shape->elements() > kMaxElements) continue;
        try {
          if (!(scope.get(name).shape() == *shape)) __builtin_trap();
        } catch (const Error&) {
        }
      }
    }
  }
  const Result<std::vector<Embedding>> embeddings = textual_inversion_of(*file);
  if (embeddings && embeddings->empty()) __builtin_trap();
}

inline SharedBytes fuzzed(const uint8_t* data, size_t size) {
  return ByteSource::copy(std::as_bytes(std::span(data, size)), "fuzzed");
}

}  // namespace maquette::weights
