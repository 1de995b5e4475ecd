// Packing: the rows of a panel's columns are rounded to the element type, then filled in column by column.
#include "kernels/avx512/panels.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "kernels/exec.h"

namespace maquette::kernels::avx512 {

namespace {

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// How many bf16, of 8 bits each, hold a number of this type.
int parts_of(DType type) {
  if (type == DType::f32) return 3;
  return type == DType::f16 ? 2 : 1;
}

}  // namespace

Panels::Panels(const PanelLayout& layout, const Tensor& w)
    : layout_(layout), parts_(std::min(layout.core->parts, parts_of(w.dtype()))) {
  const int64_t half = layout_.gated ? layout_.columns / 2 : layout_.columns;
  const int64_t per_panel = layout_.gated ? kPanelColumns / 2 : kPanelColumns;
  count_ = (half + per_panel - 1) / per_panel;

  const int64_t weight_bytes = layout_.core->parts > 1 ? 2 * parts_ : layout_.core->element;

  // Chunks of about equal size, cut at multiples of 32 channels.
  const int64_t pieces = (layout_.channels + layout_.chunk_limit - 1) / layout_.chunk_limit;
  const int64_t step = round_up((layout_.channels + pieces - 1) / pieces, 32);
  size_t offset = 0;
  for (int64_t begin = 0; begin < layout_.channels; begin += step) {
    Chunk chunk{.begin = begin, .count = std::min(step, layout_.channels - begin), .offset = offset};
    chunk.depth = round_up(chunk.count, layout_.core->depth_multiple);
    chunk.panel = static_cast<size_t>(layout_.taps * chunk.depth * kPanelColumns * weight_bytes);
    offset += chunk.panel * static_cast<size_t>(count_);
    chunks_.push_back(chunk);
  }
  memory_ = Tensor::empty({static_cast<int64_t>(offset)}, DType::u8);

  const WeightReader reader(w);
  parallel_for(count_, 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      for (const Chunk& chunk : chunks_) pack_panel(chunk, panel, reader);
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

namespace {

// What a panel is made from: for each of its columns, a row [count][taps] of weights; null where it has none.
template <typename T>
using Rows = std::array<const T*, kPanelColumns>;

// A step of a panel holds, for each column, four bytes: one f32 or two k of bf16.
template <typename T>
uint32_t step_of(const T* row, int64_t k, int64_t count, int64_t taps) {
  uint32_t step = 0;
  std::memcpy(&step, row + k * taps, sizeof(T));
  if (sizeof(T) == 2 && k + 1 < count) {
    uint16_t second;
    std::memcpy(&second, row + (k + 1) * taps, sizeof(second));
    step |= static_cast<uint32_t>(second) << 16;
  }
  return step;
}

// How the steps of a panel lie: in groups of sixteen, one group for each part of their numbers.
struct Parts {
  int64_t count = 1;
  int64_t part = 0;  // which of them is written
};

// In runs of k whose part of the panel stays in the first-level cache while all columns are written.
template <typename T>
void fill_panel(const Rows<T>& rows, int64_t count, int64_t depth, int64_t taps, const Parts& parts,
                uint32_t* panel) {
  constexpr int64_t kPair = 4 / sizeof(T);
  constexpr int64_t kGroup = 16 * kPair;
  constexpr int64_t kRun = 4 * kGroup;
  for (int64_t tap = 0; tap < taps; ++tap, panel += parts.count * depth / kPair * kPanelColumns) {
    for (int64_t begin = 0; begin < count; begin += kRun) {
      for (int64_t column = 0; column < kPanelColumns; ++column) {
        const T* row = rows[static_cast<size_t>(column)];
        if (!row) continue;
        for (int64_t group = begin; group < std::min(begin + kRun, count); group += kGroup) {
          uint32_t* to = panel + (group / kGroup * parts.count + parts.part) * 16 * kPanelColumns + column;
          const int64_t end = std::min(group + kGroup, count);
          for (int64_t k = group; k < end; k += kPair, to += kPanelColumns)
            *to = step_of(row + tap, k, count, taps);
        }
      }
    }
  }
}

// What rounding leaves over.
void subtract(float* numbers, const bfloat16* rounded, int64_t count) {
  for (int64_t i = 0; i < count; ++i) numbers[i] -= static_cast<float>(rounded[i]);
}

}  // namespace

void Panels::pack_panel(const Chunk& chunk, int64_t panel, const WeightReader& weights) {
  char* target = const_cast<char*>(at(chunk, panel));
  std::memset(target, 0, chunk.panel);
  auto* steps = reinterpret_cast<uint32_t*>(target);
  const int64_t length = chunk.count * layout_.taps;
  std::vector<float> wide(static_cast<size_t>(kPanelColumns * length));
  const bool is_narrow = layout_.core->parts > 1 || layout_.core->element == 2;
  std::vector<bfloat16> narrow(is_narrow ? wide.size() : 0);
  Rows<float> wide_rows{};
  Rows<bfloat16> narrow_rows{};
  for (int64_t column = 0; column < kPanelColumns; ++column) {
    const int64_t source = source_column(panel, column);
    if (source < 0) continue;
    const auto index = static_cast<size_t>(column);
    const int64_t first = (source * layout_.channels + chunk.begin) * layout_.taps;
    wide_rows[index] = weights.read(first, length, wide.data() + column * length);
    if (is_narrow) narrow_rows[index] = narrow.data() + column * length;
  }
  if (!is_narrow) {
    fill_panel(wide_rows, chunk.count, chunk.depth, layout_.taps, {}, steps);
    return;
  }
  for (int part = 0; part < parts_; ++part) {
    for (int64_t column = 0; column < kPanelColumns; ++column) {
      const auto index = static_cast<size_t>(column);
      if (!wide_rows[index]) continue;
      float* rest = wide.data() + column * length;
      bfloat16* rounded = narrow.data() + column * length;
      if (part > 0) {
        if (wide_rows[index] != rest) std::copy_n(wide_rows[index], length, rest);
        wide_rows[index] = rest;
        subtract(rest, rounded, length);
      }
      row_ops(DType::bf16).from_f32(wide_rows[index], length, rounded);
    }
    fill_panel(narrow_rows, chunk.count, chunk.depth, layout_.taps, {.count = parts_, .part = part}, steps);
  }
}

}  // namespace maquette::kernels::avx512
