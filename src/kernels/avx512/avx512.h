// Matrix products, convolutions and attention by this project's own kernels for AVX-512 and AMX processors.
#pragma once

#include "kernels/attention.h"
#include "kernels/conv.h"
#include "kernels/matmul.h"

namespace maquette::kernels {

namespace avx512 {
struct Core;
struct Finish;
std::unique_ptr<PackedMatmul> pack_matmul(const Core& core, const MatmulProblem& problem, const WeightRows& w,
                                          const Tensor& memory);
void run_matmul(Exec& ex, const MatmulProblem& problem, const PackedMatmul& packed, const Tensor& x,
                const MatmulEpilogue& epilogue, Tensor& out);
std::unique_ptr<PackedConv> pack_conv(const Core& core, const ConvProblem& problem, const WeightRows& w,
                                      const Tensor& memory);
void run_conv(Exec& ex, const ConvProblem& problem, const PackedConv& packed, const Tensor& x,
              const ConvEpilogue& epilogue, Tensor& out);
std::unique_ptr<PackedConv> pack_enlarged_conv(const Core& core, const ConvProblem& problem,
                                               const WeightRows& w);
void run_enlarged_conv(Exec& ex, const ConvProblem& problem, const PackedConv& packed, const Tensor& x,
                       const ConvEpilogue& epilogue, Tensor& out);
// Whether the pixels of a row fill whole tiles of the core, as an enlarged convolution wants it.
bool rows_are_whole(const Core& core, int64_t width);
// A convolution by panels with a finish of its own.
void run_conv_to(Exec& ex, const ConvProblem& problem, const PackedConv& packed, const Tensor& x,
                 const Finish& finish, const Tensor* bias);
struct WinogradCore;
std::unique_ptr<PackedConv> pack_winograd(const WinogradCore& core, const ConvProblem& problem,
                                          const WeightRows& w);
void run_winograd(Exec& ex, const WinogradCore& core, const ConvProblem& problem, const PackedConv& packed,
                  const Tensor& x, const ConvEpilogue& epilogue, Tensor& out);
struct AttentionCore;
void run_attention(Exec& ex, const AttentionCore& core, const AttentionInput& input, Tensor& out);
}  // namespace avx512

extern const ConvImplementation kWinogradConvF32;
extern const ConvImplementation kWinogradConvBf16;
extern const ConvImplementation kAmxConv;
extern const ConvImplementation kAmxSplit2Conv;
extern const ConvImplementation kAmxSplit3Conv;
extern const ConvImplementation kAvx512ConvF32;
extern const ConvImplementation kAvx512ConvBf16;
extern const ConvImplementation kAmxEnlargedConv;
extern const ConvImplementation kAmxSplit2EnlargedConv;
extern const ConvImplementation kAvx512EnlargedConvBf16;
extern const MatmulImplementation kAmxMatmul;
extern const MatmulImplementation kAmxSplit3Matmul;
extern const MatmulImplementation kAvx512MatmulF32;
extern const MatmulImplementation kAvx512MatmulBf16;

extern const AttentionImplementation kAmxAttention;
extern const AttentionImplementation kAmxSplitAttention;
extern const AttentionImplementation kAvx512AttentionF32;
extern const AttentionImplementation kAvx512AttentionBf16;

}  // namespace maquette::kernels
