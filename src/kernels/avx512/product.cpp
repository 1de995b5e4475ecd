// The loop nest, from the outside: tasks (group of panels, block of rows), chunks of channels, panels, row
// tiles. A block of rows stays in the second-level cache while the panels of its group stream past it (Goto &
// van de Geijn 2008, with the roles of A and B exchanged). Sums of several chunks wait in a scratch block.
#include "kernels/avx512/product.h"

#include <algorithm>
#include <cstring>

namespace maquette::kernels::avx512 {

void cut_tiles(const Core& core, const RowTile& rows, int64_t row_pitch, std::vector<RowTile>& tiles) {
  const int64_t steps = (rows.rows + core.row_step - 1) / core.row_step;
  const int64_t per_tile = core.max_rows / core.row_step;
  const int64_t count = (steps + per_tile - 1) / per_tile;
  int64_t done = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t end = std::min<int64_t>(steps * (i + 1) / count * core.row_step, rows.rows);
    tiles.push_back({.a_offset = rows.a_offset + done * row_pitch,
                     .row = rows.row + done,
                     .block_row = static_cast<int32_t>(rows.block_row + done),
                     .rows = static_cast<int32_t>(end - done)});
    done = end;
  }
}

void copy_row(const Core& core, const char* from, int64_t count, int64_t depth, char* to) {
  if (core.parts > 1) {
    core.split_row(reinterpret_cast<const float*>(from), count, depth, to);
    return;
  }
  const auto bytes = static_cast<size_t>(count * core.element);
  std::memcpy(to, from, bytes);
  std::memset(to + bytes, 0, static_cast<size_t>(core.row_bytes(depth)) - bytes);
}

namespace {

// Panels per task: all of them when the blocks alone keep the threads busy. Each task copies its block anew,
// which splitting makes dear.
int64_t panels_per_group(const Product& p) {
  const int64_t panels = p.weights->count();
  const int64_t wanted = (p.weights->layout().core->parts > 1 ? 2 : 4) * thread_count();
  if (thread_count() == 1 || p.blocks >= wanted) return panels;
  const int64_t groups = std::min(panels, (wanted + p.blocks - 1) / p.blocks);
  return (panels + groups - 1) / groups;
}

struct Worker {
  Tensor scratch;
  Tensor sums;
  BlockView view;
};

void run_task(const Product& p, const Finish& finish, int64_t block, int64_t first_panel, int64_t end_panel,
              Worker& worker) {
  const std::vector<Chunk>& chunks = p.weights->chunks();
  const int64_t sums_pitch = (end_panel - first_panel) * kPanelColumns;
  for (size_t c = 0; c < chunks.size(); ++c) {
    BlockView& view = worker.view;
    view.tap_offset.clear();
    view.tiles.clear();
    p.view(block, chunks[c], static_cast<char*>(worker.scratch.raw()), view);
    for (int64_t panel = first_panel; panel < end_panel; ++panel) {
      float* sums = nullptr;
      if (chunks.size() > 1) sums = worker.sums.data().data() + (panel - first_panel) * kPanelColumns;
      p.weights->layout().core->multiply(
          {.a = view.a,
           .fetch = view.far && panel == first_panel ? Fetch::keep : Fetch::nothing,
           .row_pitch = view.row_pitch,
           .tap_offset = view.tap_offset.data(),
           .taps = p.weights->layout().taps,
           .depth = chunks[c].depth,
           .b = p.weights->at(chunks[c], panel),
           .weight_parts = p.weights->parts(),
           .tiles = view.tiles.data(),
           .tile_count = static_cast<int64_t>(view.tiles.size()),
           .sums = sums,
           .sums_pitch = sums_pitch,
           .accumulate = c > 0,
           .finish = c + 1 == chunks.size() ? &finish : nullptr,
           .panel = panel});
    }
  }
}

}  // namespace

void run_product(Exec& ex, const Product& p) {
  const int64_t panels = p.weights->count();
  Tensor bias = ex.empty({panels * kPanelColumns}, DType::f32);
  p.weights->pack_bias(p.bias, bias.data().data());
  Finish finish = p.finish;
  finish.bias = bias.data().data();

  const int64_t group = panels_per_group(p);
  const int64_t groups = (panels + group - 1) / group;
  const int64_t tasks = groups * p.blocks;
  std::vector<Worker> workers(static_cast<size_t>(std::min<int64_t>(thread_count(), tasks)));
  for (Worker& worker : workers) {
    if (p.scratch_bytes > 0) worker.scratch = ex.empty({static_cast<int64_t>(p.scratch_bytes)}, DType::u8);
    if (p.weights->chunks().size() > 1) {
      worker.sums = ex.empty({p.block_rows, group * kPanelColumns}, DType::f32);
    }
  }
  const auto run = [&](int64_t task, int worker) {
    const int64_t first_panel = task / p.blocks * group;
    run_task(p, finish, task % p.blocks, first_panel, std::min(first_panel + group, panels),
             workers[static_cast<size_t>(worker)]);
  };
  parallel_tasks(tasks, run, static_cast<int64_t>(workers.size()));
}

}  // namespace maquette::kernels::avx512
