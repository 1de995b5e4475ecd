// Packing: a panel is filled column by column, so that the published weights are read in their own order.
#include "kernels/avx512/panels.h"

#include <algorithm>
#include <cstring>

#include "kernels/exec.h"

namespace maquette::kernels::avx512 {

namespace {

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

void put(float value, float* target) { *target = value; }
void put(float value, bfloat16* target) { *target = bfloat16(value); }

}  // namespace

Panels::Panels(const PanelLayout& layout, const Tensor& w) : layout_(layout) {
  const int64_t half = layout_.gated ? layout_.columns / 2 : layout_.columns;
  const int64_t per_panel = layout_.gated ? kPanelColumns / 2 : kPanelColumns;
  count_ = (half + per_panel - 1) / per_panel;

  // Chunks of about equal size, cut at multiples of 32 channels.
  const int64_t pieces = (layout_.channels + layout_.chunk_limit - 1) / layout_.chunk_limit;
  const int64_t step = round_up((layout_.channels + pieces - 1) / pieces, 32);
  size_t offset = 0;
  for (int64_t begin = 0; begin < layout_.channels; begin += step) {
    Chunk chunk{.begin = begin, .count = std::min(step, layout_.channels - begin), .offset = offset};
    chunk.depth = round_up(chunk.count, layout_.core->depth_multiple);
    chunk.panel = static_cast<size_t>(layout_.taps * chunk.depth * kPanelColumns * layout_.core->element);
    offset += chunk.panel * static_cast<size_t>(count_);
    chunks_.push_back(chunk);
  }
  memory_ = Tensor::empty({static_cast<int64_t>(offset)}, DType::u8);

  const float* weights = w.data().data();
  parallel_for(count_, 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      for (const Chunk& chunk : chunks_) pack_panel(chunk, panel, weights);
    }
  });
}

int64_t Panels::source_column(int64_t panel, int64_t column) const {
  if (!layout_.gated) {
    const int64_t source = panel * kPanelColumns + column;
    return source < layout_.columns ? source : -1;
  }
  const int64_t half = layout_.columns / 2;
  const int64_t source = panel * (kPanelColumns / 2) + column % (kPanelColumns / 2);
  if (source >= half) return -1;
  return column < kPanelColumns / 2 ? source : half + source;
}

void Panels::pack_bias(const Tensor* bias, float* target) const {
  for (int64_t panel = 0; panel < count_; ++panel) {
    for (int64_t column = 0; column < kPanelColumns; ++column) {
      const int64_t source = source_column(panel, column);
      *target++ = bias && source >= 0 ? bias->data()[static_cast<size_t>(source)] : 0.0f;
    }
  }
}

void Panels::pack_panel(const Chunk& chunk, int64_t panel, const float* w) {
  char* target = const_cast<char*>(at(chunk, panel));
  std::memset(target, 0, chunk.panel);
  // In runs of k whose part of the panel stays in the first-level cache while all columns are written.
  const int64_t run = std::max<int64_t>(128 / layout_.taps, 8);
  const auto fill = [&]<typename T>(T* base) {
    constexpr int64_t pair = 4 / sizeof(T);  // k side by side
    for (int64_t begin = 0; begin < chunk.count; begin += run) {
      const int64_t end = std::min(begin + run, chunk.count);
      for (int64_t column = 0; column < kPanelColumns; ++column) {
        const int64_t source = source_column(panel, column);
        if (source < 0) continue;
        const float* row = w + (source * layout_.channels + chunk.begin + begin) * layout_.taps;
        T* to = base + column * pair;
        const auto at_k = [&](int64_t k) { return to + k / pair * (kPanelColumns * pair) + k % pair; };
        if (layout_.taps == 1) {
          for (int64_t k = begin; k < end; ++k) put(*row++, at_k(k));
          continue;
        }
        for (int64_t k = begin; k < end; ++k) {
          for (int64_t tap = 0; tap < layout_.taps; ++tap)
            put(*row++, at_k(k) + tap * chunk.depth * kPanelColumns);
        }
      }
    }
  };
  if (layout_.core->element == 4) {
    fill(reinterpret_cast<float*>(target));
  } else {
    fill(reinterpret_cast<bfloat16*>(target));
  }
}

}  // namespace maquette::kernels::avx512
