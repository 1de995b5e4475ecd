// Row operations for f32.
#include "kernels/avx512/element_f32.h"
#include "kernels/avx512/row_ops_tile.h"

namespace maquette::kernels {

constexpr RowOps kMade = avx512::make_row_ops<avx512::ElementF32>(DType::f32);
const RowOps kAvx512RowOpsF32 = kMade;

void f16_to_f32_avx512(const uint16_t* x, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += 16) {
    const __mmask16 mask = avx512::lanes(count - i);
    _mm512_mask_storeu_ps(out + i, mask, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, x + i)));
  }
}

}  // namespace maquette::kernels
