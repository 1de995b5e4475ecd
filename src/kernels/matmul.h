// Matrix product with fixed weights: the linear layer.
//
//   x    [..., I]   f32 or bf16; all outer dimensions together are the rows
//   w    [O, I]     as published (PyTorch); packed on first use for the implementation chosen
//   out  [..., O]
//   out = activation(x w^T + bias) + residual
// A gated product (GEGLU) has O = 2 G: out = (x wa^T + ba) * gelu(x wb^T + bb), with [..., G], wa the first
// half.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "kernels/activation.h"
#include "kernels/exec.h"
#include "kernels/packed_forms.h"
#include "kernels/weight_source.h"

namespace maquette::kernels {

struct MatmulEpilogue {
  const Tensor* bias = nullptr;      // [O] f32
  const Tensor* residual = nullptr;  // shape and type of out: added last
  Activation activation = Activation::none;
  bool gated = false;  // GEGLU
};

struct MatmulProblem {
  int64_t rows, in_features, out_features;
  DType type;
  bool gated = false;

  double flop() const { return 2.0 * static_cast<double>(rows) * in_features * out_features; }
  std::string text() const;  // "matmul 8192x320->2560", the form of the problem lists in bench/
};

struct PackedMatmul : PackedWeights {};

struct MatmulImplementation {
  std::string_view name;
  bool (*accepts)(const MatmulProblem& problem);
  // w: [O, I], any floating-point type; memory: of a form that is not needed any more (PackedForms), or
  // undefined
  std::unique_ptr<PackedMatmul> (*pack)(const MatmulProblem& problem, const WeightRows& w,
                                        const Tensor& memory);
  void (*run)(Exec& ex, const MatmulProblem& problem, const PackedMatmul& packed, const Tensor& x,
              const MatmulEpilogue& epilogue, Tensor& out);
};

std::span<const MatmulImplementation> matmul_implementations();  // best first; the plain reference last

class MatmulWeights {
 public:
  // Several published matrices with the same inputs become one product (q, k and v): their rows follow each
  // other.
  explicit MatmulWeights(const std::vector<Tensor>& parts);

  void set(size_t part, WeightSource source);
  size_t parts() const { return parts_.size(); }
  const WeightSource& source(size_t part) const { return parts_[part]; }
  int64_t out_features() const { return out_features_; }
  int64_t in_features() const { return parts_[0].shape()[1]; }

  // Made on first use and kept; `pack` makes one anew, in `memory` where that is large enough.
  const PackedMatmul& packed(const MatmulImplementation& implementation, const MatmulProblem& problem) const;
  std::unique_ptr<PackedMatmul> pack(const MatmulImplementation& implementation, const MatmulProblem& problem,
                                     const Tensor& memory = {}) const;

 private:
  std::vector<WeightSource> parts_;  // each [O_p, I]
  int64_t out_features_ = 0;
  mutable PackedForms<MatmulImplementation, PackedMatmul> forms_;
};

// Throws Error(weights) where the features or the epilogue do not fit.
Tensor matmul(Exec& ex, const Tensor& x, const MatmulWeights& weights, const MatmulEpilogue& epilogue = {});

// The plain loop, kept as the oracle of all others. w: [O, I] f32. Accumulates in f32 whatever the type.
void matmul_reference(const MatmulProblem& problem, const Tensor& w, const Tensor& x,
                      const MatmulEpilogue& epilogue, Tensor& out);

}  // namespace maquette::kernels
