// Winograd transforms for f32.
#include "kernels/avx512/element_f32.h"
#include "kernels/avx512/winograd_tile.h"

namespace maquette::kernels::avx512 {

const WinogradCore kWinogradF32{.core = &kCoreF32,
                                .input = input<ElementF32>,
                                .weights = weights<ElementF32>,
                                .output = output<ElementF32>};

}  // namespace maquette::kernels::avx512
