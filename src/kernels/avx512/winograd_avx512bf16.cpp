// Winograd transforms for bf16.
#include "kernels/avx512/element_bf16.h"
#include "kernels/avx512/winograd_tile.h"

namespace maquette::kernels::avx512 {

const WinogradCore kWinogradBf16{.core = &kCoreBf16,
                                 .input = input<ElementBf16>,
                                 .weights = weights<ElementBf16>,
                                 .output = output<ElementBf16>};

}  // namespace maquette::kernels::avx512
