// Matrix products: rows are read in place wherever the core can; otherwise (odd widths, numbers to be split,
// or rows whose distance maps them all to the same cache sets) blocks are copied first.
#include "kernels/matmul.h"

#include <algorithm>
#include <memory>

#include "kernels/avx512/avx512.h"
#include "kernels/avx512/product.h"

namespace maquette::kernels::avx512 {

namespace {

struct Packed : PackedMatmul {
  explicit Packed(Panels made) : panels(std::move(made)) {}
  Tensor storage() const override { return panels.memory(); }

  Panels panels;
};

int64_t block_rows(const Panels& panels, int64_t rows) {
  const Core& core = *panels.layout().core;
  const int64_t bytes_per_row = core.row_bytes(panels.chunks().front().depth);
  int64_t most = std::clamp<int64_t>(core.block_bytes / bytes_per_row, core.max_rows, 2048);
  most = most / core.max_rows * core.max_rows;
  // Blocks of about equal height.
  const int64_t blocks = (rows + most - 1) / most;
  return (rows + blocks - 1) / blocks;
}

bool needs_copy(const Panels& panels, int64_t pitch) {
  if (panels.layout().core->parts > 1) return true;
  for (const Chunk& chunk : panels.chunks()) {
    if (chunk.depth != chunk.count) return true;
  }
  return pitch % 4096 == 0;
}

}  // namespace

std::unique_ptr<PackedMatmul> pack_matmul(const Core& core, const MatmulProblem& p, const WeightRows& w,
                                          const Tensor& memory) {
  const PanelLayout layout{.core = &core,
                           .columns = p.out_features,
                           .channels = p.in_features,
                           .chunk_limit = core.most_channels,
                           .gated = p.gated};
  return std::make_unique<Packed>(Panels(layout, w, memory));
}

void run_rows(Exec& ex, const MatmulProblem& p, const Panels& panels, const Tensor& x, const Finish& finish,
              const Tensor* bias) {
  const Core& core = *panels.layout().core;
  const int64_t pitch = p.in_features * core.element;
  const int64_t rows = block_rows(panels, p.rows);
  const bool copy = needs_copy(panels, pitch);
  const auto* in = static_cast<const char*>(x.raw());
  const auto view = [&](int64_t block, const Chunk& chunk, char* scratch, BlockView& view) {
    const int64_t begin = block * rows;
    const int64_t count = std::min(rows, p.rows - begin);
    view.tap_offset.push_back(0);
    view.a = in + begin * pitch + chunk.begin * core.element;
    view.row_pitch = pitch;
    view.far = !copy;
    if (copy) {
      view.row_pitch = core.row_bytes(chunk.depth) + 64;
      for (int64_t row = 0; row < count; ++row) {
        copy_row(core, view.a + row * pitch, chunk.count, chunk.depth, scratch + row * view.row_pitch);
      }
      view.a = scratch;
    }
    cut_tiles(core, {.a_offset = 0, .row = begin, .block_row = 0, .rows = static_cast<int32_t>(count)},
              view.row_pitch, view.tiles);
  };
  const int64_t scratch_pitch = core.row_bytes(panels.chunks().front().depth) + 64;
  run_product(ex, {.weights = &panels,
                   .finish = finish,
                   .bias = bias,
                   .blocks = (p.rows + rows - 1) / rows,
                   .block_rows = rows,
                   .scratch_bytes = copy ? static_cast<size_t>(rows * scratch_pitch) : 0,
                   .view = view});
}

void run_matmul(Exec& ex, const MatmulProblem& p, const PackedMatmul& packed, const Tensor& x,
                const MatmulEpilogue& epilogue, Tensor& out) {
  if (p.rows == 0) return;
  const Finish finish{.residual = epilogue.residual ? epilogue.residual->raw() : nullptr,
                      .out = out.raw(),
                      .columns = p.gated ? p.out_features / 2 : p.out_features,
                      .rows_per_image = p.rows,
                      .activation = epilogue.activation,
                      .gated = p.gated};
  run_rows(ex, p, static_cast<const Packed&>(packed).panels, x, finish, epilogue.bias);
}

}  // namespace maquette::kernels::avx512
