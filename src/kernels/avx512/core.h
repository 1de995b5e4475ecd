// The inner product core that matrix products, convolutions and Winograd transforms share: rows of
// activations, read where they lie, times one panel of 32 packed columns.
//
// A panel of B holds, for each tap and each k, 32 columns next to each other:
//   f32    [taps][depth][32]
//   bf16   [taps][depth / 2][32][2]      pairs of k, as vdpbf16ps and the AMX tiles multiply them
//   split  [taps][depth / 32][parts][16][32][2]   f32 as several bf16 (see core_amx.cpp)
// Rows of A come in tiles of consecutive rows with a constant distance; tap t adds tap_offset[t] bytes to
// their address, so a convolution is a product whose taps read shifted rows. Every sum runs over chunks, taps
// and k in order whatever the tile heights are: results depend neither on threads nor on the size of a batch.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/activation.h"

namespace maquette::kernels::avx512 {

constexpr int64_t kPanelColumns = 32;

// Consecutive rows of A and of the output.
struct RowTile {
  int64_t a_offset;   // bytes from the base of A to the first row
  int64_t row;        // first row of the output
  int32_t block_row;  // first row inside the block: where its sums are kept
  int32_t rows;
};

// What happens to finished sums: out = activation(sum + bias + per_image) + residual, or for gated products
// (columns 0..15 of a panel the values, 16..31 their gates) out = (sum + bias) gelu(gate + bias).
struct Finish {
  const float* bias = nullptr;       // one per packed column, in packed order, padded to whole panels
  const float* per_image = nullptr;  // [images, columns]
  const void* residual = nullptr;    // as out
  void* out = nullptr;               // [rows, columns]
  int64_t columns = 0;               // of out
  int64_t rows_per_image = 1;
  Activation activation = Activation::none;
  bool gated = false;
  // Where set, the rows are the pixels of a picture of this width, and each becomes the pixel (phase_y,
  // phase_x) of the 2x2 that it covers in an output twice as large.
  int64_t phase_width = 0;
  int64_t phase_y = 0, phase_x = 0;

  int64_t step() const { return phase_width == 0 ? columns : 2 * columns; }  // between neighbouring rows
  int64_t row_begin(int64_t row) const {                                     // in elements of out
    if (phase_width == 0) return row * columns;
    const int64_t y = 2 * (row / phase_width) + phase_y;
    return (y * 2 * phase_width + 2 * (row % phase_width) + phase_x) * columns;
  }
};

// Whether rows of A are fetched ahead: not where they lie in the second-level cache; to keep them there for
// the panels that follow; or to use them once, past that cache.
enum class Fetch { nothing, keep, once };

// One panel times all tiles of a block of rows.
struct PanelJob {
  const char* a = nullptr;
  Fetch fetch = Fetch::nothing;
  const char* next_a = nullptr;         // with fetch: first row of the job after this one, or null
  int64_t row_pitch = 0;                // bytes between rows of A
  const int64_t* tap_offset = nullptr;  // bytes
  int64_t taps = 1;
  int64_t depth = 0;        // k per tap, a multiple of the core's depth_multiple
  const char* b = nullptr;  // the panel
  int weight_parts = 1;     // bf16 that make one of its numbers
  const RowTile* tiles = nullptr;
  int64_t tile_count = 0;
  float* sums = nullptr;           // [rows of the block][sums_pitch]; columns of this panel first
  int64_t sums_pitch = 0;          // floats
  bool accumulate = false;         // add to the sums of earlier chunks
  const Finish* finish = nullptr;  // set for the last chunk: the sums are written to out instead
  int64_t panel = 0;               // which panel: selects bias and columns of out
};

struct Core {
  int max_rows;           // of a tile
  int row_step;           // tile heights are best multiples of this
  int depth_multiple;     // of k in one tap
  int64_t element;        // bytes of one element of the activations
  int64_t block_bytes;    // of activations that a block of rows keeps in the
                          // second-level cache
  int64_t most_channels;  // multiplied in one pass over a block, for one tap
  void (*multiply)(const PanelJob& job);
  // Where above 1, f32 is multiplied as so many bf16. split_row writes `count` numbers in that form, filled
  // up with zeros to `depth`; rows cannot be read where they lie then.
  int parts = 1;
  void (*split_row)(const float* from, int64_t count, int64_t depth, char* to) = nullptr;

  // Of a row of A as the core reads it.
  int64_t row_bytes(int64_t depth) const { return depth * (parts == 1 ? element : 2 * parts); }
};

// Copies `count` elements of a row of A, filled up with zeros to `depth`, in the form that the core reads.
void copy_row(const Core& core, const char* from, int64_t count, int64_t depth, char* to);

extern const Core kCoreF32;        // needs AVX-512F
extern const Core kCoreBf16;       // needs AVX512-BF16
extern const Core kCoreAmx;        // bf16; needs AMX-BF16
extern const Core kCoreAmxSplit2;  // f32 as two bf16; needs AMX-BF16
extern const Core kCoreAmxSplit3;  // f32 as three

}  // namespace maquette::kernels::avx512
