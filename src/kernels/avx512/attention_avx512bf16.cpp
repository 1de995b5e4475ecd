// Attention for bf16.
#include "kernels/avx512/attention_product.h"
#include "kernels/avx512/element_bf16.h"

namespace maquette::kernels::avx512 {

namespace {
using Products = RegisterProducts<ElementBf16>;
}

const AttentionCore kAttentionBf16{.element = ElementBf16::kBytes,
                                   .query_block = Products::kQueryBlock,
                                   .layout = make_layout<ElementBf16, Products>,
                                   .pack_keys = pack_keys<ElementBf16>,
                                   .longest_row = longest_row<ElementBf16>,
                                   .pack_values = pack_values<ElementBf16>,
                                   .run = run_any_block<ElementBf16, Products>};

}  // namespace maquette::kernels::avx512
