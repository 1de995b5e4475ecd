// Attention for bf16 with its two products on the tile registers of AMX; the
// softmax between them is the one of AVX-512. Rows are padded to whole tiles,
// so one configuration serves all.
#include "kernels/avx512/attention_tile.h"
#include "kernels/avx512/element_bf16.h"

namespace maquette::kernels::avx512 {
namespace {

constexpr int64_t kTileRows = 16;
constexpr int64_t kStepsPerTile = 16;  // pairs of k

struct alignas(64) FullTiles {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

void configure() {
  const FullTiles tiles;
  asm volatile(""
               :
               : "r"(&tiles)
               : "memory");  // gcc 12 takes the operand of the next instruction
                             // for 8 bytes
  _tile_loadconfig(&tiles);
}

// Two row tiles times two column tiles: tiles 0 to 3 are sums, 4 and 5 of A, 6
// and 7 of B.
MAQUETTE_INLINE void square(const Product& p, int64_t row, int64_t column, int64_t b_pitch) {
  float* sums = p.sums + row * p.sums_pitch + column;
  float* lower_sums = sums + kTileRows * p.sums_pitch;
  const int64_t pitch = p.sums_pitch * 4;
  if (p.accumulate) {
    _tile_loadd(0, sums, pitch);
    _tile_loadd(1, sums + 16, pitch);
    _tile_loadd(2, lower_sums, pitch);
    _tile_loadd(3, lower_sums + 16, pitch);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  const char* a = p.a + row * p.a_pitch;
  const char* b = p.b + column * 4;
  for (int64_t step = 0; step < p.steps; step += kStepsPerTile) {
    _tile_loadd(6, b + step * b_pitch, b_pitch);
    _tile_loadd(4, a + step * 4, p.a_pitch);
    _tile_loadd(7, b + step * b_pitch + 64, b_pitch);
    _tile_loadd(5, a + kTileRows * p.a_pitch + step * 4, p.a_pitch);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums, pitch);
  _tile_stored(1, sums + 16, pitch);
  _tile_stored(2, lower_sums, pitch);
  _tile_stored(3, lower_sums + 16, pitch);
}

// Two row tiles times one column tile.
MAQUETTE_INLINE void column(const Product& p, int64_t row, int64_t column, int64_t b_pitch) {
  float* sums = p.sums + row * p.sums_pitch + column;
  float* lower_sums = sums + kTileRows * p.sums_pitch;
  const int64_t pitch = p.sums_pitch * 4;
  if (p.accumulate) {
    _tile_loadd(0, sums, pitch);
    _tile_loadd(2, lower_sums, pitch);
  } else {
    _tile_zero(0);
    _tile_zero(2);
  }
  const char* a = p.a + row * p.a_pitch;
  const char* b = p.b + column * 4;
  for (int64_t step = 0; step < p.steps; step += kStepsPerTile) {
    _tile_loadd(6, b + step * b_pitch, b_pitch);
    _tile_loadd(4, a + step * 4, p.a_pitch);
    _tile_loadd(5, a + kTileRows * p.a_pitch + step * 4, p.a_pitch);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
  }
  _tile_stored(0, sums, pitch);
  _tile_stored(2, lower_sums, pitch);
}

struct TileProducts {
  static constexpr int64_t kQueryBlock = 32;
  static constexpr int64_t kRowMultiple = 2 * kTileRows;
  static void scores(const Product& p, int64_t rows) {
    for (int64_t row = 0; row < rows; row += 2 * kTileRows) square(p, row, 0, 128);
  }
  static void values(const Product& p, int64_t rows, int64_t vectors) {
    const int64_t b_pitch = vectors * 64;
    for (int64_t row = 0; row < rows; row += 2 * kTileRows) {
      int64_t v = 0;
      for (; v + 2 <= vectors; v += 2) square(p, row, v * 16, b_pitch);
      if (v < vectors) column(p, row, v * 16, b_pitch);
    }
  }
};

void run(const HeadLayout& layout, const QueryBlock& block) {
  configure();
  run_block<ElementBf16, TileProducts>(layout, block);
  _tile_release();
}

}  // namespace

const AttentionCore kAttentionAmx{.step_elements = 2,
                                  .element = 2,
                                  .query_block = TileProducts::kQueryBlock,
                                  .depth_multiple = 32,
                                  .pack_keys = pack_keys<ElementBf16>,
                                  .pack_values = pack_values<ElementBf16>,
                                  .run = run};

}  // namespace maquette::kernels::avx512
