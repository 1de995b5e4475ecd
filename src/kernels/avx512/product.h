// The driver of the product cores: cuts a product into blocks of rows and groups of panels, and spreads them
// over the threads.
#pragma once

#include <functional>
#include <vector>

#include "kernels/avx512/panels.h"
#include "kernels/exec.h"
#include "kernels/matmul.h"
#include "kernels/threads.h"

namespace maquette::kernels::avx512 {

// A block of rows as one chunk of channels sees it.
struct BlockView {
  const char* a = nullptr;
  int64_t row_pitch = 0;
  bool far = false;  // rows lie where they were computed, not in the second-level cache
  std::vector<int64_t> tap_offset;
  std::vector<RowTile> tiles;
};

struct Product {
  const Panels* weights = nullptr;
  Finish finish;  // bias is set by run_product
  const Tensor* bias = nullptr;
  int64_t blocks = 0;
  int64_t block_rows = 0;    // most rows of a block
  size_t scratch_bytes = 0;  // for `view` to copy a block into; one per thread
  // Fills `view` for one block and one chunk.
  std::function<void(int64_t block, const Chunk& chunk, char* scratch, BlockView& view)> view;
};

void run_product(Exec& ex, const Product& product);

// A product whose rows lie in x, [rows, in_features]; bias and finish.bias as in run_product.
void run_rows(Exec& ex, const MatmulProblem& problem, const Panels& panels, const Tensor& x,
              const Finish& finish, const Tensor* bias);

// Cuts `rows` consecutive rows into tiles of heights that differ by at most one step of the core.
void cut_tiles(const Core& core, const RowTile& rows, int64_t row_pitch, std::vector<RowTile>& tiles);

}  // namespace maquette::kernels::avx512
