#include "nn/finite.h"

#include <algorithm>
#include <cmath>

namespace maquette::nn {

void require_finite(const Tensor& values, std::string_view network) {
  const auto all = values.data();
  const auto bad = std::ranges::count_if(all, [](float v) { return !std::isfinite(v); });
  if (bad == 0) return;
  throw Error(ErrorCode::weights, "{} answers with values that are no numbers", network)
      .with("found", fmt::format("{} of {} values NaN or infinite", bad, all.size()))
      .hint("the weights are damaged, or too large for bf16: try --precision f32");
}

}  // namespace maquette::nn
