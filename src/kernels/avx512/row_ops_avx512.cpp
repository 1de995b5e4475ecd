// Row operations for f32.
#include "kernels/avx512/element_f32.h"
#include "kernels/avx512/row_ops_tile.h"

namespace maquette::kernels {

constexpr RowOps kMade = avx512::make_row_ops<avx512::ElementF32>(DType::f32);
const RowOps kAvx512RowOpsF32 = kMade;

}  // namespace maquette::kernels
