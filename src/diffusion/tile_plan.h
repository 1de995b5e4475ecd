// Cutting one axis of a picture into overlapping tiles, with the weights by which they are put together again.
#pragma once

#include <cstdint>
#include <vector>

namespace maquette::diffusion {

// One tile on one axis: pixels [begin, begin + size), counted around the edge where the axis wraps.
struct TileSpan {
  int64_t begin = 0;
  int64_t size = 0;
  int64_t fade_in = 0;   // pixels over which it takes over from the tile before
  int64_t fade_out = 0;  // pixels over which it gives way to the tile after

  // Weight of pixel i of the tile, in (0, 1]: linear over the fades, so that neighbours add up to one.
  float weight(int64_t i) const {
    float w = 1;
    if (i < fade_in) w = (static_cast<float>(i) + 0.5f) / static_cast<float>(fade_in);
    const int64_t left = size - 1 - i;
    if (left < fade_out) w *= (static_cast<float>(left) + 0.5f) / static_cast<float>(fade_out);
    return w;
  }
};

// Tiles of at most `tile` pixels sharing about `overlap`; one tile where the axis is no longer than that. On a
// wrapped axis the last tile reaches over the edge into the first.
std::vector<TileSpan> plan_tiles(int64_t length, int64_t tile, int64_t overlap, bool wraps);

}  // namespace maquette::diffusion
