// Attention for bf16 with its two products on the tile registers of AMX; the softmax between them is the one
// of AVX-512. Rows are padded to whole tiles, so one configuration serves all.
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

// What lies where: two row tiles, the upper and the lower, of A and of the sums.
struct Places {
  Places(const Product& p, int64_t row, int64_t column, int64_t row_of_b)
      : upper(p.a + row * p.a_pitch),
        lower(upper + kTileRows * p.a_pitch),
        a_pitch(p.a_pitch),
        b(p.b + column * 4),
        b_pitch(row_of_b),
        upper_sums(p.sums + row * p.sums_pitch + column),
        lower_sums(upper_sums + kTileRows * p.sums_pitch),
        sums_pitch(p.sums_pitch * 4) {}
  const char* upper;
  const char* lower;
  int64_t a_pitch;
  const char* b;
  int64_t b_pitch;  // bytes between pairs of k
  float* upper_sums;
  float* lower_sums;
  int64_t sums_pitch;
};

// Two row tiles times two column tiles: tiles 0 to 3 are sums, 4 and 5 of A, 6 and 7 of B.
MAQUETTE_INLINE void multiply_2x2(const Product& p, const Places& at) {
  if (p.accumulate) {
    _tile_loadd(0, at.upper_sums, at.sums_pitch);
    _tile_loadd(1, at.upper_sums + 16, at.sums_pitch);
    _tile_loadd(2, at.lower_sums, at.sums_pitch);
    _tile_loadd(3, at.lower_sums + 16, at.sums_pitch);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t step = 0; step < p.steps; step += kStepsPerTile) {
    const char* b = at.b + step * at.b_pitch;
    _tile_loadd(6, b, at.b_pitch);
    _tile_loadd(4, at.upper + step * 4, at.a_pitch);
    _tile_loadd(7, b + 64, at.b_pitch);
    _tile_loadd(5, at.lower + step * 4, at.a_pitch);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, at.upper_sums, at.sums_pitch);
  _tile_stored(1, at.upper_sums + 16, at.sums_pitch);
  _tile_stored(2, at.lower_sums, at.sums_pitch);
  _tile_stored(3, at.lower_sums + 16, at.sums_pitch);
}

// Two row tiles times three column tiles: tiles 0 to 5 are sums, so that the latency of a product is hidden
// by five others; 6 of A, 7 of B.
MAQUETTE_INLINE void multiply_2x3(const Product& p, const Places& at) {
  if (p.accumulate) {
    _tile_loadd(0, at.upper_sums, at.sums_pitch);
    _tile_loadd(1, at.upper_sums + 16, at.sums_pitch);
    _tile_loadd(2, at.upper_sums + 32, at.sums_pitch);
    _tile_loadd(3, at.lower_sums, at.sums_pitch);
    _tile_loadd(4, at.lower_sums + 16, at.sums_pitch);
    _tile_loadd(5, at.lower_sums + 32, at.sums_pitch);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
  }
  for (int64_t step = 0; step < p.steps; step += kStepsPerTile) {
    const char* b = at.b + step * at.b_pitch;
    _tile_loadd(6, at.upper + step * 4, at.a_pitch);
    _tile_loadd(7, b, at.b_pitch);
    _tile_dpbf16ps(0, 6, 7);
    _tile_loadd(7, b + 64, at.b_pitch);
    _tile_dpbf16ps(1, 6, 7);
    _tile_loadd(7, b + 128, at.b_pitch);
    _tile_dpbf16ps(2, 6, 7);
    _tile_loadd(6, at.lower + step * 4, at.a_pitch);
    _tile_dpbf16ps(5, 6, 7);
    _tile_loadd(7, b, at.b_pitch);
    _tile_dpbf16ps(3, 6, 7);
    _tile_loadd(7, b + 64, at.b_pitch);
    _tile_dpbf16ps(4, 6, 7);
  }
  _tile_stored(0, at.upper_sums, at.sums_pitch);
  _tile_stored(1, at.upper_sums + 16, at.sums_pitch);
  _tile_stored(2, at.upper_sums + 32, at.sums_pitch);
  _tile_stored(3, at.lower_sums, at.sums_pitch);
  _tile_stored(4, at.lower_sums + 16, at.sums_pitch);
  _tile_stored(5, at.lower_sums + 32, at.sums_pitch);
}

// Two row tiles times one column tile.
MAQUETTE_INLINE void multiply_2x1(const Product& p, const Places& at) {
  if (p.accumulate) {
    _tile_loadd(0, at.upper_sums, at.sums_pitch);
    _tile_loadd(2, at.lower_sums, at.sums_pitch);
  } else {
    _tile_zero(0);
    _tile_zero(2);
  }
  for (int64_t step = 0; step < p.steps; step += kStepsPerTile) {
    _tile_loadd(6, at.b + step * at.b_pitch, at.b_pitch);
    _tile_loadd(4, at.upper + step * 4, at.a_pitch);
    _tile_loadd(5, at.lower + step * 4, at.a_pitch);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
  }
  _tile_stored(0, at.upper_sums, at.sums_pitch);
  _tile_stored(2, at.lower_sums, at.sums_pitch);
}

struct TileProducts {
  static constexpr int64_t kQueryBlock = 32;
  static constexpr int64_t kRowMultiple = 2 * kTileRows;
  __attribute__((noinline)) static void scores(Product p, int64_t rows, int64_t width) {
    for (int64_t row = 0; row < rows; row += 2 * kTileRows) {
      Product panel = p;
      for (int64_t key = 0; key < width;
           key += kKeyPanel, panel.b += p.steps * 128, panel.sums += kKeyPanel) {
        multiply_2x2(panel, Places(panel, row, 0, 128));
      }
    }
  }
  __attribute__((noinline)) static void values(const Product& p, int64_t rows, int64_t vectors) {
    for (int64_t row = 0; row < rows; row += 2 * kTileRows) {
      for (int64_t v = 0; v < vectors;) {
        const Places at(p, row, v * 16, vectors * 64);
        const int64_t left = vectors - v;
        if (left == 3 || left == 5) {
          multiply_2x3(p, at);
          v += 3;
        } else if (left >= 2) {
          multiply_2x2(p, at);
          v += 2;
        } else {
          multiply_2x1(p, at);
          v += 1;
        }
      }
    }
  }
};

void run(const HeadLayout& layout, const QueryBlock& block) {
  configure();
  run_any_block<ElementBf16, TileProducts>(layout, block);
  _tile_release();
}

}  // namespace

const AttentionCore kAttentionAmx{.step_elements = 2,
                                  .element = 2,
                                  .query_block = TileProducts::kQueryBlock,
                                  .depth_multiple = 32,
                                  .pack_keys = pack_keys<ElementBf16>,
                                  .longest_row = longest_row<ElementBf16>,
                                  .pack_values = pack_values<ElementBf16>,
                                  .run = run};

}  // namespace maquette::kernels::avx512
