#include "kernels/avx512/transpose.h"

#include <array>
#include <gtest/gtest.h>

#include "kernels/cpu.h"

namespace maquette::kernels::avx512 {
namespace {

TEST(Transpose, steps_of_rows_become_rows_of_steps) {
  if (!cpu().avx512) GTEST_SKIP() << "no AVX-512 here";
  constexpr size_t kPitch = 32;
  std::array<std::array<uint32_t, 17>, 16> values;  // rows need not be aligned
  std::array<const void*, 16> rows;
  for (uint32_t row = 0; row < 16; ++row) {
    for (uint32_t step = 0; step < 17; ++step) values[row][step] = 100 * row + step;
    rows[row] = values[row].data() + 1;
  }
  std::array<uint32_t, 16 * kPitch> out{};
  transpose_steps(rows.data(), out.data(), kPitch);
  for (uint32_t step = 0; step < 16; ++step) {
    for (uint32_t row = 0; row < 16; ++row) EXPECT_EQ(out[step * kPitch + row], 100 * row + step + 1);
    for (size_t beyond = 16; beyond < kPitch; ++beyond) EXPECT_EQ(out[step * kPitch + beyond], 0U);
  }
}

}  // namespace
}  // namespace maquette::kernels::avx512
