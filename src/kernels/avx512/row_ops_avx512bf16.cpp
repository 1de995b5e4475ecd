// Row operations for bf16.
#include "kernels/avx512/element_bf16.h"
#include "kernels/avx512/row_ops_tile.h"

namespace maquette::kernels {

constexpr RowOps kMade = avx512::make_row_ops<avx512::ElementBf16>(DType::bf16);
const RowOps kAvx512RowOpsBf16 = kMade;

}  // namespace maquette::kernels
