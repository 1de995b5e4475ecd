// Attention for f32.
#include "kernels/avx512/attention_product.h"
#include "kernels/avx512/element_f32.h"

namespace maquette::kernels::avx512 {

namespace {
using Products = RegisterProducts<ElementF32>;
}

const AttentionCore kAttentionF32{.element = ElementF32::kBytes,
                                  .query_block = Products::kQueryBlock,
                                  .layout = make_layout<ElementF32, Products>,
                                  .pack_keys = pack_keys<ElementF32>,
                                  .longest_row = longest_row<ElementF32>,
                                  .pack_values = pack_values<ElementF32>,
                                  .run = run_any_block<ElementF32, Products>};

}  // namespace maquette::kernels::avx512
