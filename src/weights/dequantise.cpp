// Block layouts of GGUF's quantised types, as published in ggml's block definitions. Notation below: d and m
// are half-precision scale and minimum, q a small integer per element, all bytes little-endian.
//
//   q4_0   32 elements:  d, 16 bytes of nibbles                 x = d (q - 8)
//   q4_1                 d, m, 16 bytes                         x = d q + m
//   q5_0                 d, 32 fifth bits, 16 bytes             x = d (q - 16)
//   q5_1                 d, m, 32 fifth bits, 16 bytes          x = d q + m
//   q8_0                 d, 32 signed bytes                     x = d q
//   q2_K   256 elements: 16 bytes of (scale, minimum) nibbles, 64 bytes of 2-bit q, d, m
//   q3_K                 32 bytes of third bits, 64 bytes of 2-bit q, 12 bytes of 6-bit scales, d
//   q4_K                 d, m, 12 bytes of 6-bit scales and minima, 128 bytes of nibbles
//   q5_K                 d, m, 12 bytes, 32 bytes of fifth bits, 128 bytes of nibbles
//   q6_K                 128 bytes of nibbles, 64 bytes of 2 upper bits, 16 signed scales, d
//
// In the 32-element types byte i holds element i (low nibble) and element i + 16 (high nibble). The order
// within the 256-element types is written out in each function.

#include "weights/dequantise.h"

#include <array>
#include <cstring>

namespace maquette::weights {

namespace {

constexpr size_t kSmall = 32;
constexpr size_t kSuper = 256;

float half_at(const uint8_t* bytes) {
  uint16_t bits = 0;
  std::memcpy(&bits, bytes, 2);
  return f16_to_f32(bits);
}

void q4_0(const uint8_t* block, float* x) {
  const float d = half_at(block);
  for (size_t i = 0; i < 16; ++i) {
    const int q = block[2 + i];
    x[i] = d * static_cast<float>((q & 15) - 8);
    x[i + 16] = d * static_cast<float>((q >> 4) - 8);
  }
}

void q4_1(const uint8_t* block, float* x) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  for (size_t i = 0; i < 16; ++i) {
    const int q = block[4 + i];
    x[i] = d * static_cast<float>(q & 15) + m;
    x[i + 16] = d * static_cast<float>(q >> 4) + m;
  }
}

// The fifth bits of 32 elements are one 32-bit number, element i at bit i.
int fifth_bit(uint32_t bits, size_t i) { return static_cast<int>((bits >> i) & 1) << 4; }

void q5_0(const uint8_t* block, float* x) {
  const float d = half_at(block);
  uint32_t high = 0;
  std::memcpy(&high, block + 2, 4);
  for (size_t i = 0; i < 16; ++i) {
    const int q = block[6 + i];
    x[i] = d * static_cast<float>(((q & 15) | fifth_bit(high, i)) - 16);
    x[i + 16] = d * static_cast<float>(((q >> 4) | fifth_bit(high, i + 16)) - 16);
  }
}

void q5_1(const uint8_t* block, float* x) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  uint32_t high = 0;
  std::memcpy(&high, block + 4, 4);
  for (size_t i = 0; i < 16; ++i) {
    const int q = block[8 + i];
    x[i] = d * static_cast<float>((q & 15) | fifth_bit(high, i)) + m;
    x[i + 16] = d * static_cast<float>((q >> 4) | fifth_bit(high, i + 16)) + m;
  }
}

void q8_0(const uint8_t* block, float* x) {
  const float d = half_at(block);
  for (size_t i = 0; i < kSmall; ++i) x[i] = d * static_cast<float>(static_cast<int8_t>(block[2 + i]));
}

// Sixteen groups of 16 elements. Within each half of 128, a byte holds the elements l, l + 32, l + 64, l
// + 96. Here and below the loops run over a group, whose scale and shift are constant, so that the compiler
// can vectorise them.
void q2_k(const uint8_t* block, float* x) {
  const float d = half_at(block + 80);
  const float m = half_at(block + 82);
  for (size_t group = 0; group < 16; ++group) {
    const uint8_t* quants = block + 16 + 32 * (group / 8) + 16 * (group % 2);
    const int shift = 2 * static_cast<int>(group % 8 / 2);
    const float scale = d * static_cast<float>(block[group] & 15);
    const float minimum = m * static_cast<float>(block[group] >> 4);
    for (size_t l = 0; l < 16; ++l) {
      x[16 * group + l] = scale * static_cast<float>((quants[l] >> shift) & 3) - minimum;
    }
  }
}

// As q2_k, with a third bit that counts -4 where it is not set, and signed 6-bit scales: the lower four bits
// of scales 0..7 and 8..15 are the nibbles of bytes 0..7, the upper two come from bytes 8..11.
void q3_k(const uint8_t* block, float* x) {
  const uint8_t* packed = block + 96;
  const float d = half_at(block + 108);
  for (size_t group = 0; group < 16; ++group) {
    const int low = group < 8 ? packed[group] & 15 : packed[group - 8] >> 4;
    const int high = (packed[8 + group % 4] >> (2 * (group / 4))) & 3;
    const float scale = d * static_cast<float>((low | (high << 4)) - 32);
    const uint8_t* mask = block + 16 * (group % 2);
    const uint8_t* quants = block + 32 + 32 * (group / 8) + 16 * (group % 2);
    const int shift = 2 * static_cast<int>(group % 8 / 2);
    const int bit = static_cast<int>(group / 2);
    for (size_t l = 0; l < 16; ++l) {
      const int third = (mask[l] >> bit) & 1;
      x[16 * group + l] = scale * static_cast<float>(((quants[l] >> shift) & 3) + 4 * third - 4);
    }
  }
}

struct ScaleAndMinimum {
  int scale;
  int minimum;
};

// The eight 6-bit scales and minima of q4_K and q5_K in 12 bytes: the first four of each in the lower six
// bits of bytes 0..3 and 4..7; the others as nibbles of bytes 8..11, their upper bits on top of bytes 0..7.
ScaleAndMinimum scale_and_minimum(const uint8_t* packed, size_t j) {
  if (j < 4) return {packed[j] & 63, packed[j + 4] & 63};
  return {(packed[j + 4] & 15) | ((packed[j - 4] >> 6) << 4), (packed[j + 4] >> 4) | ((packed[j] >> 6) << 4)};
}

// Eight groups of 32; 32 bytes hold two groups, the first in the low nibbles.
void q4_k(const uint8_t* block, float* x) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  const uint8_t* quants = block + 16;
  for (size_t j = 0; j < 8; ++j) {
    const auto [scale, minimum] = scale_and_minimum(block + 4, j);
    const float group_d = d * static_cast<float>(scale);
    const float group_m = m * static_cast<float>(minimum);
    for (size_t l = 0; l < 32; ++l) {
      const int byte = quants[32 * (j / 2) + l];
      const int q = j % 2 == 0 ? byte & 15 : byte >> 4;
      x[32 * j + l] = group_d * static_cast<float>(q) - group_m;
    }
  }
}

// As q4_k, with the fifth bit of group j at bit j of 32 bytes.
void q5_k(const uint8_t* block, float* x) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  const uint8_t* high = block + 16;
  const uint8_t* quants = block + 48;
  for (size_t j = 0; j < 8; ++j) {
    const auto [scale, minimum] = scale_and_minimum(block + 4, j);
    const float group_d = d * static_cast<float>(scale);
    const float group_m = m * static_cast<float>(minimum);
    for (size_t l = 0; l < 32; ++l) {
      const int byte = quants[32 * (j / 2) + l];
      const int q = (j % 2 == 0 ? byte & 15 : byte >> 4) | (((high[l] >> j) & 1) << 4);
      x[32 * j + l] = group_d * static_cast<float>(q) - group_m;
    }
  }
}

// Within each half of 128: groups of 32, the first two in the low nibbles of 64 bytes, the others in the high
// ones; the upper two bits of the four groups side by side in 32 bytes. Scales for every 16 elements.
void q6_k(const uint8_t* block, float* x) {
  const float d = half_at(block + 208);
  for (size_t part = 0; part < 16; ++part) {
    const size_t half = part / 8;
    const size_t group = part % 8 / 2;
    const size_t begin = 16 * (part % 2);
    const uint8_t* low = block + 64 * half + 32 * (group % 2) + begin;
    const uint8_t* high = block + 128 + 32 * half + begin;
    const int nibble = group < 2 ? 0 : 4;
    const int shift = 2 * static_cast<int>(group);
    const float scale = d * static_cast<float>(static_cast<int8_t>(block[192 + part]));
    for (size_t l = 0; l < 16; ++l) {
      const int q = ((low[l] >> nibble) & 15) | (((high[l] >> shift) & 3) << 4);
      x[16 * part + l] = scale * static_cast<float>(q - 32);
    }
  }
}

constexpr auto kTypes = std::to_array<GgufType>({
    {0, "f32", 1, 4, DType::f32},
    {1, "f16", 1, 2, DType::f16},
    {30, "bf16", 1, 2, DType::bf16},
    {28, "f64", 1, 8, DType::f64},
    {24, "i8", 1, 1, DType::i8},
    {25, "i16", 1, 2, DType::i16},
    {26, "i32", 1, 4, DType::i32},
    {27, "i64", 1, 8, DType::i64},
    {2, "q4_0", kSmall, 18, std::nullopt, q4_0},
    {3, "q4_1", kSmall, 20, std::nullopt, q4_1},
    {6, "q5_0", kSmall, 22, std::nullopt, q5_0},
    {7, "q5_1", kSmall, 24, std::nullopt, q5_1},
    {8, "q8_0", kSmall, 34, std::nullopt, q8_0},
    {10, "q2_K", kSuper, 84, std::nullopt, q2_k},
    {11, "q3_K", kSuper, 110, std::nullopt, q3_k},
    {12, "q4_K", kSuper, 144, std::nullopt, q4_k},
    {13, "q5_K", kSuper, 176, std::nullopt, q5_k},
    {14, "q6_K", kSuper, 210, std::nullopt, q6_k},
});

}  // namespace

const GgufType* gguf_type(uint32_t id) {
  for (const GgufType& type : kTypes) {
    if (type.id == id) return &type;
  }
  return nullptr;
}

void dequantise(const GgufType& type, std::span<const std::byte> bytes, std::span<float> values) {
  const auto* block = reinterpret_cast<const uint8_t*>(bytes.data());
  const size_t blocks = bytes.size() / type.block_bytes;
  for (size_t i = 0; i < blocks; ++i) {
    type.dequantise(block + i * type.block_bytes, values.data() + i * type.block_elements);
  }
}

}  // namespace maquette::weights
