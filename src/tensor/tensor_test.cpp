#include "tensor/tensor.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace maquette {
namespace {

// Every binary16 value survives the way to binary32 and back.
TEST(DType, f16_round_trip_is_exact) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float wide = f16_to_f32(static_cast<uint16_t>(bits));
    if (std::isnan(wide)) continue;
    EXPECT_EQ(f32_to_f16(wide), bits);
  }
}

TEST(DType, f16_rounds_to_nearest_even) {
  EXPECT_EQ(f32_to_f16(1.0f + 0x1p-11f), f32_to_f16(1.0f));  // halfway, to even
  EXPECT_EQ(f32_to_f16(1.0f + 3 * 0x1p-11f), f32_to_f16(1.0f + 0x1p-9f));
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7c00);  // infinity
  EXPECT_EQ(f32_to_f16(0x1p-25f), 0);       // half of the least subnormal, to even
}

TEST(DType, bf16_keeps_nan_and_rounds) {
  EXPECT_TRUE(std::isnan(static_cast<float>(bfloat16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_EQ(static_cast<float>(bfloat16(1.0f + 0x1p-9f)), 1.0f);
}

// OCP 8-bit floating point specification, table 1: largest and least values.
TEST(DType, f8_limits) {
  EXPECT_EQ(f8_e4m3_to_f32(0x7e), 448.0f);
  EXPECT_EQ(f8_e4m3_to_f32(0x01), 0x1p-9f);
  EXPECT_TRUE(std::isnan(f8_e4m3_to_f32(0x7f)));
  EXPECT_EQ(f8_e5m2_to_f32(0x7b), 57344.0f);
}

TEST(Tensor, views_share_memory_and_clones_do_not) {
  Tensor t = Tensor::from({2, 3}, {0, 1, 2, 3, 4, 5});
  Tensor row = t.rows(1, 2);
  row.data()[0] = 9;
  EXPECT_EQ(t.data()[3], 9);
  EXPECT_EQ(t.clone().rows(1, 2).data()[0], 9);
  EXPECT_THROW(t.reshape({4}), Error);
  EXPECT_THROW(t.data<bfloat16>(), Error);
}

}  // namespace
}  // namespace maquette
