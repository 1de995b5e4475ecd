// The invisible watermark "dwtDct" of the published Python package invisible-watermark (0.2.0), in both
// directions: its reader reads what is written here, and the other way round.
//
// The bits repeat over the blocks of 8 x 8 pixels, row by row. They survive light changes (noise, a new bit
// depth, good JPEG), not scaling and not a crop that is no multiple of the block (docs/watermark.md). A mark
// that is found says something; a mark that is not found says nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "media/image.h"

namespace maquette::watermark {

using Bits = std::vector<bool>;

// Bytes as bits, the highest bit of a byte first, and back; a rest of fewer than eight bits is left out.
Bits bits_of(std::string_view bytes);
std::string bytes_of(const Bits& bits);

inline constexpr int64_t kLeastPixels = 256 * 256;  // the package refuses smaller pictures
inline constexpr size_t kMostBits = 256;

// The picture with the mark in it: RGB, or RGBA with its alpha as it was; grey becomes RGB. Values stay
// between 0 and 1. Deterministic. Throws Error(usage) for fewer than kLeastPixels, and for no bits, more than
// kMostBits or more than the picture has blocks.
media::Image add_dwt_dct(const media::Image& picture, const Bits& bits);

// What each block of 8 x 8 pixels says, row by row; [H / 8 * W / 8] of 0 or 1. Read it once, then ask
// `majority` for every length in question.
std::vector<uint8_t> read_blocks(const media::Image8& picture);

struct Reading {
  Bits bits;
  double agreement = 0;  // share of the blocks that say what their bit was read as: 1 all, 0.5 half
};
// A mark of `length` bits by the majority of the blocks. Throws Error(usage) for fewer blocks than bits.
Reading majority(const std::vector<uint8_t>& blocks, size_t length);

}  // namespace maquette::watermark
