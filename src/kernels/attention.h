// Scaled dot-product attention: softmax(q k^T / sqrt(d) + bias) v, per head.
//
//   q    [N, Tq, heads * d]   rows may be wider than heads * d: `q_stride` is the distance between tokens
//   k, v [N, Tk, heads * d]   likewise, so that the parts of one q/k/v product are used in place
//   out  [N, Tq, heads * d]
// Source: Vaswani et al. 2017, equation 1; tiled with a running maximum as in Milakov & Gimelshein 2018.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/exec.h"

namespace maquette::kernels {

struct AttentionInput {
  // Element pointers to the first token; type f32 or bf16, the same for all.
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;  // elements between tokens
  int64_t n = 0, q_length = 0, k_length = 0;
  int64_t heads = 0, head_size = 0;
  DType type = DType::f32;
  bool causal = false;  // token i sees only tokens up to i (text encoders)
  // Added to the scores before the softmax: [bias_n, Tq, Tk] f32, bias_n 1 or N, the same for all heads; -inf
  // hides a key. Undefined: none.
  Tensor bias;
  float scale = 0;  // 0: 1 / sqrt(head_size)

  std::string text() const;  // "attention 2x4096x77 heads 8x40 bf16", the form of the problem lists in bench/
};

struct AttentionImplementation {
  std::string_view name;
  bool (*accepts)(const AttentionInput& input);
  void (*run)(Exec& ex, const AttentionInput& input, Tensor& out);
};

std::span<const AttentionImplementation> attention_implementations();  // best first; the plain reference last

Tensor attention(Exec& ex, const AttentionInput& input);

// Row by row in f32, kept as the oracle.
void attention_reference(const AttentionInput& input, Tensor& out);

}  // namespace maquette::kernels
