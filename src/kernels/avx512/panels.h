// Weights packed into the panels that the product cores multiply by.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "kernels/avx512/core.h"
#include "kernels/weight_source.h"
#include "tensor/tensor.h"

namespace maquette::kernels::avx512 {

// Input channels that are multiplied in one pass over a block of rows, so that block and panel stay in the
// cache.
struct Chunk {
  int64_t begin = 0;  // first channel
  int64_t count = 0;  // channels
  int64_t depth = 0;  // channels padded to the core's depth_multiple with zeros
  size_t offset = 0;  // bytes to the panels of this chunk
  size_t panel = 0;   // bytes of one of its panels
};

struct PanelLayout {
  const Core* core = nullptr;
  int64_t columns = 0;   // output channels; for gated products values and gates together
  int64_t channels = 0;  // input channels per tap
  int64_t taps = 1;
  int64_t chunk_limit = 0;  // most channels of a chunk
  bool gated = false;
};

class Panels {
 public:
  // w: [columns, channels, taps], any floating-point type. The panels are made in `memory` where it is large
  // enough.
  Panels(const PanelLayout& layout, const WeightRows& w, const Tensor& memory);

  const PanelLayout& layout() const { return layout_; }
  int64_t count() const { return count_; }  // panels
  int parts() const { return parts_; }      // bf16 that make a number, where the core splits them
  const std::vector<Chunk>& chunks() const { return chunks_; }
  const Tensor& memory() const { return memory_; }
  const char* at(const Chunk& chunk, int64_t panel) const {
    return static_cast<const char*>(memory_.raw()) + chunk.offset + static_cast<size_t>(panel) * chunk.panel;
  }
  // The published output channel in a column of a panel; -1: none.
  int64_t source_column(int64_t panel, int64_t column) const;
  // bias [columns] in the order of the panels, zero where there is none; target holds count() * 32 floats.
  void pack_bias(const Tensor* bias, float* target) const;

 private:
  // The rows that a panel's columns are made from; null where a column has none.
  using Sources = std::array<const void*, kPanelColumns>;
  struct Scratch;

  Sources read_sources(int64_t panel, const WeightRows& w, std::byte* room) const;
  void pack_panel(const Chunk& chunk, int64_t panel, const Sources& sources, Scratch& scratch);

  PanelLayout layout_;
  int64_t count_ = 0;
  int parts_ = 1;
  std::vector<Chunk> chunks_;
  Tensor memory_;
};

}  // namespace maquette::kernels::avx512
