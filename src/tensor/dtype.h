// Element types of tensors, and the conversions between the 8-, 16- and 32-bit floating-point forms.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace maquette {

// The forms found in published files. Kernels compute on f32 and bf16; the others are converted on loading.
enum class DType : uint8_t { f32, f16, bf16, f8_e4m3, f8_e5m2, f64, i64, i32, i16, i8, u8, boolean };

size_t size_of(DType type);  // bytes of one element
std::string_view name(DType type);
bool is_floating(DType type);

// IEEE 754 binary32 cut to its upper half; what AVX512-BF16 and AMX multiply.
struct bfloat16 {
  uint16_t bits = 0;
  bfloat16() = default;
  // Rounds to nearest even, keeps NaN a NaN.
  explicit bfloat16(float value) {
    const auto u = std::bit_cast<uint32_t>(value);
    const bool nan = (u & 0x7fffffffu) > 0x7f800000u;
    bits = nan ? static_cast<uint16_t>((u >> 16) | 0x40u)
               : static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
  explicit operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
};
static_assert(sizeof(bfloat16) == 2);

// IEEE 754 binary16.
float f16_to_f32(uint16_t bits);
uint16_t f32_to_f16(float value);  // rounds to nearest even

// OCP 8-bit floating point: E4M3 (no infinities, one NaN) and E5M2.
float f8_e4m3_to_f32(uint8_t bits);
float f8_e5m2_to_f32(uint8_t bits);

}  // namespace maquette
