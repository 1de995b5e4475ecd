// The entries of the AVX-512 kernels in the lists of implementations.
#include "kernels/avx512/attention_core.h"
#include "kernels/avx512/avx512.h"
#include "kernels/avx512/core.h"
#include "kernels/avx512/winograd_core.h"
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

template <typename Problem>
bool on_amx(const Problem& p) {
  return p.type == DType::bf16 && cpu().amx_bf16;
}

template <typename Problem>
bool on_amx_split(const Problem& p) {
  return p.type == DType::f32 && cpu().amx_bf16;
}

bool is_single_tap(const ConvProblem& p) { return p.kernel_h == 1 && p.kernel_w == 1; }

// Few channels are gathered tap by tap in f32.
bool accepts_split2_conv(const ConvProblem& p) {
  return on_amx_split(p) && p.in_channels >= 32 && !is_single_tap(p);
}

// Those that mix channels alone lie on the straight way through the network, where errors add up.
bool accepts_split3_conv(const ConvProblem& p) { return on_amx_split(p) && is_single_tap(p); }

// Whether Winograd's savings are not eaten by half-empty tiles and by the transforms. Says the same for any
// number of images, so that a picture does not depend on what it is computed together with.
bool suits_winograd(const ConvProblem& p) {
  if (p.kernel_h != 3 || p.kernel_w != 3 || p.geometry.stride != 1) return false;
  if (p.in_channels < 32 || p.out_channels < 32) return false;
  const int64_t outputs = p.out_height() * p.out_width();
  const int64_t computed = (p.out_height() + 3) / 4 * ((p.out_width() + 3) / 4) * 16;
  return outputs * 2 >= computed && computed >= 64;
}

template <DType kType>
bool accepts_winograd(const ConvProblem& p) {
  return accepts_conv<kType>(p) && suits_winograd(p);
}

template <const avx512::WinogradCore& kCore>
std::unique_ptr<PackedConv> pack_winograd(const ConvProblem& p, const WeightRows& w, const Tensor&) {
  return avx512::pack_winograd(kCore, p, w);
}

template <const avx512::WinogradCore& kCore>
void run_winograd(Exec& ex, const ConvProblem& p, const PackedConv& packed, const Tensor& x,
                  const ConvEpilogue& epilogue, Tensor& out) {
  avx512::run_winograd(ex, kCore, p, packed, x, epilogue, out);
}

template <DType kType>
bool accepts_attention(const AttentionInput& a) {
  return a.type == kType && (kType == DType::f32 ? cpu().avx512 : cpu().avx512_bf16);
}

// The tiles know neither masks nor biases.
template <DType kType>
bool accepts_amx_attention(const AttentionInput& a) {
  // In f32, few keys do not pay for splitting them.
  constexpr int64_t kFewestKeys = kType == DType::f32 ? 128 : 1;
  return a.type == kType && cpu().amx_bf16 && !a.causal && !a.bias.defined() && a.head_size >= 2 &&
         a.k_length >= kFewestKeys;
}

template <const avx512::AttentionCore& kCore>
void run_attention(Exec& ex, const AttentionInput& input, Tensor& out) {
  avx512::run_attention(ex, kCore, input, out);
}

template <const avx512::Core& kCore>
std::unique_ptr<PackedConv> pack_conv(const ConvProblem& p, const WeightRows& w, const Tensor& memory) {
  return avx512::pack_conv(kCore, p, w, memory);
}

// Few channels are gathered tap by tap, which enlarging does not pay for.
template <const avx512::Core& kCore>
bool accepts_enlarged(const ConvProblem& p) {
  const bool runs = &kCore == &avx512::kCoreAmx         ? on_amx(p)
                    : &kCore == &avx512::kCoreAmxSplit2 ? on_amx_split(p)
                                                        : accepts_conv<DType::bf16>(p);
  const int64_t width =
      p.width - 2 + p.geometry.pad_left + p.geometry.pad_right;  // of x before it was wrapped
  return runs && p.in_channels >= 32 && avx512::rows_are_whole(kCore, width);
}

template <const avx512::Core& kCore>
std::unique_ptr<PackedConv> pack_enlarged(const ConvProblem& p, const WeightRows& w, const Tensor&) {
  return avx512::pack_enlarged_conv(kCore, p, w);
}

template <const avx512::Core& kCore>
std::unique_ptr<PackedMatmul> pack_matmul(const MatmulProblem& p, const WeightRows& w, const Tensor& memory) {
  return avx512::pack_matmul(kCore, p, w, memory);
}

}  // namespace

const ConvImplementation kWinogradConvF32{.name = "avx512-winograd-f32",
                                          .accepts = accepts_winograd<DType::f32>,
                                          .pack = pack_winograd<avx512::kWinogradF32>,
                                          .run = run_winograd<avx512::kWinogradF32>};
const ConvImplementation kWinogradConvBf16{.name = "avx512-winograd-bf16",
                                           .accepts = accepts_winograd<DType::bf16>,
                                           .pack = pack_winograd<avx512::kWinogradBf16>,
                                           .run = run_winograd<avx512::kWinogradBf16>};
const ConvImplementation kAmxConv{.name = "amx-bf16",
                                  .accepts = on_amx<ConvProblem>,
                                  .pack = pack_conv<avx512::kCoreAmx>,
                                  .run = avx512::run_conv};
const ConvImplementation kAmxSplit2Conv{.name = "amx-bf16x3",
                                        .accepts = accepts_split2_conv,
                                        .pack = pack_conv<avx512::kCoreAmxSplit2>,
                                        .run = avx512::run_conv};
const ConvImplementation kAmxSplit3Conv{.name = "amx-bf16x6",
                                        .accepts = accepts_split3_conv,
                                        .pack = pack_conv<avx512::kCoreAmxSplit3>,
                                        .run = avx512::run_conv};
const ConvImplementation kAmxSplit2EnlargedConv{.name = "amx-bf16x3",
                                                .accepts = accepts_enlarged<avx512::kCoreAmxSplit2>,
                                                .pack = pack_enlarged<avx512::kCoreAmxSplit2>,
                                                .run = avx512::run_enlarged_conv};
const ConvImplementation kAmxEnlargedConv{.name = "amx-bf16",
                                          .accepts = accepts_enlarged<avx512::kCoreAmx>,
                                          .pack = pack_enlarged<avx512::kCoreAmx>,
                                          .run = avx512::run_enlarged_conv};
const ConvImplementation kAvx512EnlargedConvBf16{.name = "avx512-bf16",
                                                 .accepts = accepts_enlarged<avx512::kCoreBf16>,
                                                 .pack = pack_enlarged<avx512::kCoreBf16>,
                                                 .run = avx512::run_enlarged_conv};
const ConvImplementation kAvx512ConvF32{.name = "avx512-f32",
                                        .accepts = accepts_conv<DType::f32>,
                                        .pack = pack_conv<avx512::kCoreF32>,
                                        .run = avx512::run_conv};
const ConvImplementation kAvx512ConvBf16{.name = "avx512-bf16",
                                         .accepts = accepts_conv<DType::bf16>,
                                         .pack = pack_conv<avx512::kCoreBf16>,
                                         .run = avx512::run_conv};
const MatmulImplementation kAmxMatmul{.name = "amx-bf16",
                                      .accepts = on_amx<MatmulProblem>,
                                      .pack = pack_matmul<avx512::kCoreAmx>,
                                      .run = avx512::run_matmul};
const MatmulImplementation kAmxSplit3Matmul{.name = "amx-bf16x6",
                                            .accepts = on_amx_split<MatmulProblem>,
                                            .pack = pack_matmul<avx512::kCoreAmxSplit3>,
                                            .run = avx512::run_matmul};
const MatmulImplementation kAvx512MatmulF32{.name = "avx512-f32",
                                            .accepts = accepts_matmul<DType::f32>,
                                            .pack = pack_matmul<avx512::kCoreF32>,
                                            .run = avx512::run_matmul};
const MatmulImplementation kAvx512MatmulBf16{.name = "avx512-bf16",
                                             .accepts = accepts_matmul<DType::bf16>,
                                             .pack = pack_matmul<avx512::kCoreBf16>,
                                             .run = avx512::run_matmul};
const AttentionImplementation kAmxAttention{.name = "amx-bf16",
                                            .accepts = accepts_amx_attention<DType::bf16>,
                                            .run = run_attention<avx512::kAttentionAmx>};
const AttentionImplementation kAmxSplitAttention{.name = "amx-bf16x4",
                                                 .accepts = accepts_amx_attention<DType::f32>,
                                                 .run = run_attention<avx512::kAttentionAmxSplit>};
const AttentionImplementation kAvx512AttentionF32{.name = "avx512-f32",
                                                  .accepts = accepts_attention<DType::f32>,
                                                  .run = run_attention<avx512::kAttentionF32>};
const AttentionImplementation kAvx512AttentionBf16{.name = "avx512-bf16",
                                                   .accepts = accepts_attention<DType::bf16>,
                                                   .run = run_attention<avx512::kAttentionBf16>};

}  // namespace maquette::kernels
