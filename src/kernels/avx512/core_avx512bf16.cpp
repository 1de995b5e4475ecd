// The product core for bf16 on AVX512-BF16: pairs of k, sums in f32.
#include "kernels/avx512/element_bf16.h"
#include "kernels/avx512/tile.h"

namespace maquette::kernels::avx512 {

const Core kCoreBf16{.max_rows = kTileRows,
                     .row_step = 1,
                     .depth_multiple = 2,
                     .element = 2,
                     .block_bytes = 448 * 1024,
                     .most_channels = 1280,
                     .multiply = multiply_panel<ElementBf16>};

}  // namespace maquette::kernels::avx512
