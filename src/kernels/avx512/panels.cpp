// Packing: the rows of a panel's columns are rounded to the element type, then filled in column by column.
#include "kernels/avx512/panels.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "kernels/avx512/transpose.h"
#include "kernels/avx512/weight_reader.h"
#include "kernels/threads.h"

namespace maquette::kernels::avx512 {

namespace {

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// How many bf16, of 8 bits each, hold a number of this type.
int parts_of(DType type) {
  if (type == DType::f32) return 3;
  return type == DType::f16 ? 2 : 1;
}

}  // namespace

// What packing one chunk of a panel needs besides; one for each thread.
struct Panels::Scratch {
  Scratch(DType weights, int64_t numbers, bool is_narrow)
      : type(weights), wide(std::make_unique_for_overwrite<float[]>(static_cast<size_t>(numbers))) {
    if (is_narrow) narrow = std::make_unique_for_overwrite<bfloat16[]>(static_cast<size_t>(numbers));
  }
  DType type;                          // of the weights
  std::unique_ptr<float[]> wide;       // [columns][channels][taps]
  std::unique_ptr<bfloat16[]> narrow;  // the same, rounded; none where panels hold f32
};

Panels::Panels(const PanelLayout& layout, const WeightRows& w, const Tensor& memory)
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
  const bool fits = memory.defined() && memory.bytes() >= offset;
  memory_ = fits ? memory : Tensor::empty({static_cast<int64_t>(offset)}, DType::u8);

  const WeightRows rows = readable(w);
  const bool is_narrow = layout_.core->parts > 1 || layout_.core->element == 2;
  parallel_for(count_, 1, [&](int64_t begin, int64_t end) {
    const auto room = room_for(rows, kPanelColumns);
    Scratch scratch(rows.dtype(), kPanelColumns * step * layout_.taps, is_narrow);
    for (int64_t panel = begin; panel < end; ++panel) {
      const Sources sources = read_sources(panel, rows, room.get());
      for (const Chunk& chunk : chunks_) pack_panel(chunk, panel, sources, scratch);
    }
  });
}

// The columns of a panel are neighbours, or those of each of its halves where it is gated.
Panels::Sources Panels::read_sources(int64_t panel, const WeightRows& w, std::byte* room) const {
  Sources sources{};
  const int64_t run = layout_.gated ? kPanelColumns / 2 : kPanelColumns;
  for (int64_t first = 0; first < kPanelColumns; first += run) {
    int64_t count = 0;
    while (count < run && source_column(panel, first + count) >= 0) ++count;
    if (count == 0) continue;
    const int64_t row = source_column(panel, first);
    std::byte* half = room ? room + static_cast<size_t>(first) * w.row_bytes() : nullptr;
    const void* rows = w.read(row, row + count, half);
    for (int64_t i = 0; i < count; ++i) {
      sources[static_cast<size_t>(first + i)] =
          static_cast<const std::byte*>(rows) + static_cast<size_t>(i) * w.row_bytes();
    }
  }
  return sources;
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

// Where each column has its row and a row has one tap, whole groups are transposed; returns how many k that
// were.
template <typename T>
int64_t fill_whole_groups(const Rows<T>& rows, int64_t count, const Parts& parts, uint32_t* panel) {
  constexpr int64_t kGroup = 16 * (4 / sizeof(T));
  int64_t k = 0;
  for (; k + kGroup <= count; k += kGroup) {
    uint32_t* to = panel + (k / kGroup * parts.count + parts.part) * 16 * kPanelColumns;
    for (size_t half = 0; half < kPanelColumns; half += 16) {
      std::array<const void*, 16> from;
      for (size_t i = 0; i < from.size(); ++i) from[i] = rows[half + i] + k;
      transpose_steps(from.data(), to + half, kPanelColumns);
    }
  }
  return k;
}

// In runs of k whose part of the panel stays in the first-level cache while all columns are written.
template <typename T>
void fill_panel(const Rows<T>& rows, int64_t count, int64_t depth, int64_t taps, const Parts& parts,
                uint32_t* panel) {
  constexpr int64_t kPair = 4 / sizeof(T);
  constexpr int64_t kGroup = 16 * kPair;
  constexpr int64_t kRun = 4 * kGroup;
  const bool is_whole = taps == 1 && std::ranges::find(rows, nullptr) == rows.end();
  const int64_t filled = is_whole ? fill_whole_groups(rows, count, parts, panel) : 0;
  for (int64_t tap = 0; tap < taps; ++tap, panel += parts.count * depth / kPair * kPanelColumns) {
    for (int64_t begin = filled; begin < count; begin += kRun) {
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

void Panels::pack_panel(const Chunk& chunk, int64_t panel, const Sources& sources, Scratch& scratch) {
  char* target = const_cast<char*>(at(chunk, panel));
  const bool has_gaps = chunk.depth != chunk.count || std::ranges::find(sources, nullptr) != sources.end();
  if (has_gaps) std::memset(target, 0, chunk.panel);
  auto* steps = reinterpret_cast<uint32_t*>(target);
  const int64_t length = chunk.count * layout_.taps;
  const bool is_narrow = scratch.narrow != nullptr;
  Rows<float> wide_rows{};
  Rows<bfloat16> narrow_rows{};
  if (is_narrow && scratch.type == DType::bf16) {  // panels hold these very numbers
    for (size_t i = 0; i < sources.size(); ++i) {
      if (!sources[i]) continue;
      narrow_rows[i] = static_cast<const bfloat16*>(sources[i]) + chunk.begin * layout_.taps;
    }
    fill_panel(narrow_rows, chunk.count, chunk.depth, layout_.taps, {}, steps);
    return;
  }
  for (int64_t column = 0; column < kPanelColumns; ++column) {
    const auto index = static_cast<size_t>(column);
    if (!sources[index]) continue;
    wide_rows[index] = as_f32(scratch.type, sources[index], chunk.begin * layout_.taps, length,
                              scratch.wide.get() + column * length);
    if (is_narrow) narrow_rows[index] = scratch.narrow.get() + column * length;
  }
  if (!is_narrow) {
    fill_panel(wide_rows, chunk.count, chunk.depth, layout_.taps, {}, steps);
    return;
  }
  for (int part = 0; part < parts_; ++part) {
    for (int64_t column = 0; column < kPanelColumns; ++column) {
      const auto index = static_cast<size_t>(column);
      if (!wide_rows[index]) continue;
      float* rest = scratch.wide.get() + column * length;
      bfloat16* rounded = scratch.narrow.get() + column * length;
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
