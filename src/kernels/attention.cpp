// The front of attention.
#include "kernels/attention.h"

#include "kernels/tuner.h"

namespace maquette::kernels {

std::string AttentionInput::text() const {
  return fmt::format("attention {}x{}x{} heads {}x{} {}{}{}", n, q_length, k_length, heads, head_size,
                     name(type), causal ? " causal" : "", bias.defined() ? " biased" : "");
}

namespace {

void check_input(const AttentionInput& input) {
  const auto positive = [](auto... sizes) { return ((sizes >= 1) && ...); };
  if (!positive(input.n, input.q_length, input.k_length, input.heads, input.head_size)) {
    throw Error(ErrorCode::weights, "cannot attend with {} heads of {}", input.heads, input.head_size)
        .with("found",
              fmt::format("{} pictures, {} queries, {} keys", input.n, input.q_length, input.k_length));
  }
  const Tensor& bias = input.bias;
  if (!bias.defined()) return;
  if (bias.rank() != 3 || (bias.size(0) != 1 && bias.size(0) != input.n) || bias.size(1) != input.q_length ||
      bias.size(2) != input.k_length) {
    throw Error(ErrorCode::failed, "cannot add this to the scores of an attention")
        .with("found", bias.shape().text())
        .with("expected", fmt::format("[1 or {}, {}, {}]", input.n, input.q_length, input.k_length));
  }
}

}  // namespace

Tensor attention(Exec& ex, const AttentionInput& input) {
  check_input(input);
  Tensor out = ex.empty({input.n, input.q_length, input.heads * input.head_size}, input.type);
  const auto attempt = [&](const AttentionImplementation& candidate) {
    return [&] { candidate.run(ex, input, out); };
  };
  const Candidates candidates(ex.tuner, attention_implementations(), input, attempt);
  const AttentionImplementation* chosen = candidates.choose([&] {
    AttentionInput one = input;
    one.n = 1;
    return one.text();
  });
  if (!chosen) throw Error(ErrorCode::failed, "no implementation for {}", input.text());
  // Two products, of q with k and of the probabilities with v.
  const double flop = 4.0 * static_cast<double>(input.n * input.heads * input.q_length) *
                      static_cast<double>(input.k_length * input.head_size);
  ProfileScope profile(ex, "", flop);
  if (profile.active()) profile.detail(fmt::format("{} {}", input.text(), chosen->name));
  chosen->run(ex, input, out);
  return out;
}

}  // namespace maquette::kernels
