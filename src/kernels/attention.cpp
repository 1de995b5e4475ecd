// The front of attention.
#include "kernels/attention.h"

namespace maquette::kernels {

Tensor attention(Exec& ex, const AttentionInput& input) {
  Tensor out = ex.empty({input.n, input.q_length, input.heads * input.head_size}, input.type);
  for (const AttentionImplementation& implementation : attention_implementations()) {
    if (!implementation.accepts(input)) continue;
    // Two products, of q with k and of the probabilities with v.
    const double flop = 4.0 * static_cast<double>(input.n * input.heads * input.q_length) *
                        static_cast<double>(input.k_length * input.head_size);
    ProfileScope profile(ex, "", flop);
    if (profile.active()) {
      profile.detail(fmt::format("attention {}x{}x{} heads {}x{} {} {}", input.n, input.q_length,
                                 input.k_length, input.heads, input.head_size, name(input.type),
                                 implementation.name));
    }
    implementation.run(ex, input, out);
    return out;
  }
  throw Error(ErrorCode::failed, "no implementation for this attention");
}

}  // namespace maquette::kernels
