// Two-dimensional convolution on channels-last pictures.
//
//   x    [N, H, W, I]          f32 or bf16
//   w    [O, I, kh, kw]        as published (PyTorch); packed on first use for the implementation chosen
//   out  [N, Ho, Wo, O]
//   out = activation(conv(x, w) + bias + per_image) + residual
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "kernels/activation.h"
#include "kernels/exec.h"
#include "kernels/packed_forms.h"
#include "kernels/weight_source.h"

namespace maquette::kernels {

struct ConvGeometry {
  int stride = 1;
  int pad_top = 0;
  int pad_left = 0;
  int pad_bottom = 0;
  int pad_right = 0;

  static ConvGeometry same(int kernel, int stride = 1) {  // PyTorch's padding = kernel / 2 on every side
    const int pad = kernel / 2;
    return {.stride = stride, .pad_top = pad, .pad_left = pad, .pad_bottom = pad, .pad_right = pad};
  }
  bool operator==(const ConvGeometry&) const = default;
};

struct ConvEpilogue {
  const Tensor* bias = nullptr;       // [O] f32
  const Tensor* per_image = nullptr;  // [N, O], f32: the time embedding of a residual block
  const Tensor* residual = nullptr;   // shape of out, same type as out: added last
  Activation activation = Activation::none;
};

// One convolution as an implementation sees it: wrapped edges are already real pixels here.
struct ConvProblem {
  int64_t n, height, width, in_channels, out_channels;
  int kernel_h, kernel_w;
  ConvGeometry geometry;
  DType type;  // of x and out

  int64_t out_height() const {
    return (height + geometry.pad_top + geometry.pad_bottom - kernel_h) / geometry.stride + 1;
  }
  int64_t out_width() const {
    return (width + geometry.pad_left + geometry.pad_right - kernel_w) / geometry.stride + 1;
  }
  double flop() const;
  std::string text() const;  // "conv3x3 2x64x64x320->320", the form of the problem lists in bench/
};

struct PackedConv : PackedWeights {};

struct ConvImplementation {
  std::string_view name;
  bool (*accepts)(const ConvProblem& problem);
  // w: [O, I, kh, kw], any floating-point type; memory: of a form that is not needed any more (PackedForms),
  // or undefined
  std::unique_ptr<PackedConv> (*pack)(const ConvProblem& problem, const WeightRows& w, const Tensor& memory);
  void (*run)(Exec& ex, const ConvProblem& problem, const PackedConv& packed, const Tensor& x,
              const ConvEpilogue& epilogue, Tensor& out);
};

// Every implementation, best first; the plain reference is last and accepts everything.
std::span<const ConvImplementation> conv_implementations();

// The weights of one layer: the published tensor and the packed forms made from it. Safe to use from several
// threads; `set` must not run at the same time as a convolution.
class ConvWeights {
 public:
  // Any floating-point type; a mapped tensor stays mapped and is read once.
  explicit ConvWeights(Tensor source);

  void set(WeightSource source);  // other weights of the same shape (adapters)
  const WeightSource& source() const { return source_; }
  int64_t out_channels() const { return source_.shape()[0]; }
  int64_t in_channels() const { return source_.shape()[1]; }
  int kernel_h() const { return static_cast<int>(source_.shape()[2]); }
  int kernel_w() const { return static_cast<int>(source_.shape()[3]); }

  const PackedConv& packed(const ConvImplementation& implementation, const ConvProblem& problem) const;

 private:
  WeightSource source_;
  mutable PackedForms<ConvImplementation, PackedConv> forms_;
};

// The front door: wraps edges as ex.wrap says, picks the implementation, runs it. Throws Error(weights)
// where the channels or the epilogue do not fit.
Tensor conv2d(Exec& ex, const Tensor& x, const ConvWeights& weights, const ConvGeometry& geometry,
              const ConvEpilogue& epilogue = {});

// The 3x3 convolution, with PyTorch's padding = 1, of a picture enlarged twofold by repeating its pixels
// (nearest):
//   x [N, H, W, I] -> out [N, 2 H, 2 W, O].
// Each of the four positions in a pixel of x sees only 2x2 of them, by sums of the published weights: that is
// 4/9 of the multiplications, and the enlarged picture is never stored. Where no implementation does it so,
// the picture is enlarged and convolved.
Tensor conv2d_enlarged(Exec& ex, const Tensor& x, const ConvWeights& weights,
                       const ConvEpilogue& epilogue = {});

// Implementations of the above, best first; maybe none. Their problem is that of x, its padding in pixels of
// x.
std::span<const ConvImplementation> enlarged_conv_implementations();

// The plain loop, kept as the oracle of all others. Accumulates in f32 whatever the type.
void conv2d_reference(const ConvProblem& problem, const Tensor& w, const Tensor& x,
                      const ConvEpilogue& epilogue, Tensor& out);

}  // namespace maquette::kernels
