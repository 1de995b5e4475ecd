// The layers that networks are made of: plain structs with their weights and one call each.
//
// A layer's load function takes the scope that holds its tensors; what is not there (a bias, a skip) is left
// out, and the call follows what was loaded. Layers share their weights when copied.
//
// Nothing about a file is believed: loading throws Error(weights) that names the tensor, with the shape found
// and the one expected, where a bias or norm does not fit its layer or a layer does not fit the place that
// the network has for it; and so does a call whose input has another width than the weights.
#pragma once

#include <optional>

#include "kernels/attention.h"
#include "kernels/conv.h"
#include "kernels/matmul.h"
#include "kernels/ops.h"
#include "nn/scope.h"

namespace maquette::nn {

using kernels::Activation;
using kernels::Exec;

// What a layer's place in its network asks of its weights; 0: any number.
struct Sizes {
  int64_t in = 0;
  int64_t out = 0;
};

// y = activation(x W^T + b) + residual;  x [..., in], W [out, in], b [out] or none.
struct Linear {
  std::shared_ptr<kernels::MatmulWeights> weights;
  Tensor bias;       // undefined: none
  std::string name;  // of the weight in its network, for messages

  struct Extra {
    const Tensor* residual = nullptr;
    Activation activation = Activation::none;
    bool gated = false;
  };
  Tensor operator()(Exec& ex, const Tensor& x) const { return (*this)(ex, x, Extra{}); }
  Tensor operator()(Exec& ex, const Tensor& x, const Extra& extra) const;
  int64_t in_features() const { return weights->in_features(); }
  int64_t out_features() const { return weights->out_features(); }
};
Linear load_linear(const Scope& scope, const Sizes& sizes = {});
// Several layers with the same input as one product: their outputs, all of one width (sizes.out), follow each
// other (q, k, v).
Linear load_linears(const Scope& scope, std::initializer_list<std::string_view> names,
                    const Sizes& sizes = {});

// x [N, H, W, in] -> [N, H', W', out]
struct Conv2d {
  std::shared_ptr<kernels::ConvWeights> weights;
  Tensor bias;
  kernels::ConvGeometry geometry;
  std::string name;  // of the weight in its network, for messages

  struct Extra {
    const Tensor* per_image = nullptr;  // [N, out] f32, added to every pixel
    const Tensor* residual = nullptr;   // added last
    Activation activation = Activation::none;
  };
  Tensor operator()(Exec& ex, const Tensor& x) const { return (*this)(ex, x, Extra{}); }
  Tensor operator()(Exec& ex, const Tensor& x, const Extra& extra) const;
  // Of x enlarged twofold by repeating its pixels; for 3x3 with padding 1.
  Tensor enlarged(Exec& ex, const Tensor& x) const { return enlarged(ex, x, Extra{}); }
  Tensor enlarged(Exec& ex, const Tensor& x, const Extra& extra) const;
  int64_t in_channels() const { return weights->in_channels(); }
  int64_t out_channels() const { return weights->out_channels(); }
};
// Padding as PyTorch's kernel / 2, for square kernels of odd size, unless a geometry is given.
Conv2d load_conv2d(const Scope& scope, int stride = 1, const Sizes& sizes = {});
Conv2d load_conv2d(const Scope& scope, const kernels::ConvGeometry& geometry, const Sizes& sizes = {});

struct GroupNorm {
  Tensor weight, bias;  // [C] f32
  int64_t groups = 32;
  float epsilon = 1e-5f;
  std::string name;  // of the weight in its network, for messages

  int64_t channels() const { return weight.elements(); }
  Tensor operator()(Exec& ex, const Tensor& x) const;
  Tensor with_silu(Exec& ex, const Tensor& x) const;  // silu(norm(x)) in one pass
};
struct GroupNormOptions {
  int64_t groups = 32;
  float epsilon = 1e-5f;
};
GroupNorm load_group_norm(const Scope& scope, const GroupNormOptions& options, int64_t channels = 0);

struct LayerNorm {
  Tensor weight, bias;  // [C] f32
  float epsilon = 1e-5f;
  std::string name;  // of the weight in its network, for messages

  int64_t width() const { return weight.elements(); }
  Tensor operator()(Exec& ex, const Tensor& x) const;
};
LayerNorm load_layer_norm(const Scope& scope, float epsilon = 1e-5f, int64_t width = 0);

// Rows of a table by number: [count] ids -> [count, width] f32.
struct Embedding {
  Tensor table;  // [vocabulary, width], any floating-point type

  int64_t width() const { return table.size(1); }
  int64_t count() const { return table.size(0); }
  // Writes row `id` to `out` [width]; throws Error(failed) outside the table.
  void row(int64_t id, std::span<float> out) const;
};
Embedding load_embedding(const Scope& scope);

// The sinusoidal embedding of numbers (timesteps, sizes): [count] -> [count, width] f32, cosines first.
// Source: Vaswani et al. 2017, section 3.5, with frequencies 10000^(-i / (width / 2)); cosines come first as
// in published diffusion checkpoints ("flip_sin_to_cos").
Tensor sinusoidal_embedding(std::span<const double> values, int64_t width, bool cosines_first = true,
                            double frequency_shift = 0);

}  // namespace maquette::nn
