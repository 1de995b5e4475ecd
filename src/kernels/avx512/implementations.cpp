// The entries of the AVX-512 kernels in the lists of implementations.
#include "kernels/avx512/avx512.h"
#include "kernels/avx512/core.h"
#include "kernels/cpu.h"

namespace maquette::kernels {

namespace {

template <DType kType>
bool accepts_conv(const ConvProblem& p) {
  return p.type == kType && (kType == DType::f32 ? cpu().avx512 : cpu().avx512_bf16);
}

template <DType kType>
bool accepts_matmul(const MatmulProblem& p) {
  return p.type == kType && (kType == DType::f32 ? cpu().avx512 : cpu().avx512_bf16);
}

template <const avx512::Core& kCore>
std::unique_ptr<PackedConv> pack_conv(const ConvProblem& p, const Tensor& w) {
  return avx512::pack_conv(kCore, p, w);
}

template <const avx512::Core& kCore>
std::unique_ptr<PackedMatmul> pack_matmul(const MatmulProblem& p, const Tensor& w) {
  return avx512::pack_matmul(kCore, p, w);
}

}  // namespace

const ConvImplementation kAvx512ConvF32{.name = "avx512-f32",
                                        .accepts = accepts_conv<DType::f32>,
                                        .pack = pack_conv<avx512::kCoreF32>,
                                        .run = avx512::run_conv};
const ConvImplementation kAvx512ConvBf16{.name = "avx512-bf16",
                                         .accepts = accepts_conv<DType::bf16>,
                                         .pack = pack_conv<avx512::kCoreBf16>,
                                         .run = avx512::run_conv};
const MatmulImplementation kAvx512MatmulF32{.name = "avx512-f32",
                                            .accepts = accepts_matmul<DType::f32>,
                                            .pack = pack_matmul<avx512::kCoreF32>,
                                            .run = avx512::run_matmul};
const MatmulImplementation kAvx512MatmulBf16{.name = "avx512-bf16",
                                             .accepts = accepts_matmul<DType::bf16>,
                                             .pack = pack_matmul<avx512::kCoreBf16>,
                                             .run = avx512::run_matmul};

}  // namespace maquette::kernels
