// The product core for f32 on AVX-512F.
#include "kernels/avx512/element_f32.h"
#include "kernels/avx512/tile.h"

namespace maquette::kernels::avx512 {

const Core kCoreF32{.max_rows = kTileRows,
                    .row_step = 1,
                    .depth_multiple = 1,
                    .element = 4,
                    .block_bytes = 448 * 1024,
                    .most_channels = 640,
                    .multiply = multiply_panel<ElementF32>};

}  // namespace maquette::kernels::avx512
