// The parts of Winograd convolution that are compiled per instruction set, and what they hand to each other.
//
// F(4x4, 3x3) (Lavin & Gray 2016): a tile of 6 x 6 inputs gives 4 x 4 outputs with 36 products instead of
// 144,
//   Y = A^T [ (G g G^T) . (B^T d B) ] A
// on the points 0, +-a, +-b, infinity with a = 1/sqrt(2), b = sqrt(2). Against the usual points 0, +-1, +-2
// they halve the rounding error (found by trying; Barabasz et al. 2020 discuss why it depends on the points),
// which is what makes the bf16 form usable.
#pragma once

#include <cstdint>

#include "kernels/avx512/core.h"

namespace maquette::kernels::avx512 {

constexpr int kFrequencies = 36;  // 6 x 6
constexpr int kTileInputs = 6;
constexpr int kTileOutputs = 4;

// One tile: where its inputs begin (may lie outside the picture) and where its outputs go.
struct WinogradTile {
  int32_t image;
  int32_t y, x;  // of the first input pixel
  int32_t out_y, out_x;
};

struct WinogradPicture {
  int64_t height, width, channels;         // input
  int64_t out_height, out_width, columns;  // output
};

struct InputJob {
  const WinogradPicture* picture;
  const void* x;  // [N, H, W, C]
  const WinogradTile* tiles;
  int64_t tile_count;
  char* v;  // [36 planes][tiles][row_bytes]: the transformed tiles
  int64_t plane_bytes;
  int64_t row_bytes;  // channels padded to 32 with zeros
};

struct WeightsJob {
  const char* w;     // one panel: [channels][9][32]
  int64_t channels;  // of this chunk; a multiple of the core's depth_multiple
  char* u;           // [36 planes][channels as packed panel]
  int64_t plane_bytes;
};

struct OutputJob {
  const WinogradPicture* picture;
  const Finish* finish;
  const WinogradTile* tiles;
  int64_t tile_count;
  const float* sums;  // [36 planes][tiles][32]
  int64_t plane_floats;
  int64_t panel;
};

struct WinogradCore {
  const Core* core;
  void (*input)(const InputJob& job);
  void (*weights)(const WeightsJob& job);
  void (*output)(const OutputJob& job);
};
extern const WinogradCore kWinogradF32;
extern const WinogradCore kWinogradBf16;

}  // namespace maquette::kernels::avx512
