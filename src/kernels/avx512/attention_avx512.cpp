// Attention for f32.
#include "kernels/avx512/attention_tile.h"
#include "kernels/avx512/element_f32.h"

namespace maquette::kernels::avx512 {

const AttentionCore kAttentionF32{.step_elements = 1,
                                  .element = 4,
                                  .pack_keys = pack_keys<ElementF32>,
                                  .pack_values = pack_values<ElementF32>,
                                  .run = run_block<ElementF32>};

}  // namespace maquette::kernels::avx512
