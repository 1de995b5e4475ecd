// The ordered lists of implementations, best first as long as nothing was measured (kernels/choice.h). An
// implementation refuses what it cannot compute, what this processor lacks and what a later one in the list
// does faster; the reference at the end accepts everything.
#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "kernels/attention.h"
#include "kernels/avx512/avx512.h"
#include "kernels/conv.h"
#include "kernels/cpu.h"
#include "kernels/matmul.h"
#include "kernels/onednn/onednn.h"
#include "kernels/row_ops.h"

namespace maquette::kernels {

namespace {

struct ReferenceConv : PackedConv {
  Tensor w;
};

struct ReferenceMatmul : PackedMatmul {
  Tensor w;
};

const ConvImplementation kReferenceConv{
    .name = "reference",
    .accepts = [](const ConvProblem&) { return true; },
    .pack = [](const ConvProblem&, const WeightRows& w, const Tensor&) -> std::unique_ptr<PackedConv> {
      auto packed = std::make_unique<ReferenceConv>();
      packed->w = widen(w.whole());
      return packed;
    },
    .run =
        [](Exec&, const ConvProblem& problem, const PackedConv& packed, const Tensor& x,
           const ConvEpilogue& epilogue, Tensor& out) {
          conv2d_reference(problem, static_cast<const ReferenceConv&>(packed).w, x, epilogue, out);
        }};

const MatmulImplementation kReferenceMatmul{
    .name = "reference",
    .accepts = [](const MatmulProblem&) { return true; },
    .pack = [](const MatmulProblem&, const WeightRows& w, const Tensor&) -> std::unique_ptr<PackedMatmul> {
      auto packed = std::make_unique<ReferenceMatmul>();
      packed->w = widen(w.whole());
      return packed;
    },
    .run =
        [](Exec&, const MatmulProblem& problem, const PackedMatmul& packed, const Tensor& x,
           const MatmulEpilogue& epilogue, Tensor& out) {
          matmul_reference(problem, static_cast<const ReferenceMatmul&>(packed).w, x, epilogue, out);
        }};

const AttentionImplementation kReferenceAttention{
    .name = "reference",
    .accepts = [](const AttentionInput&) { return true; },
    .run = [](Exec&, const AttentionInput& input, Tensor& out) { attention_reference(input, out); }};

// MAQUETTE_KERNELS narrows the choice, for tests and measurements: a list of parts of names, separated by
// commas. Those that begin with "-" are left out ("-winograd"); where others are given, only they are left in
// ("onednn").
bool is_allowed(std::string_view name, std::string_view terms) {
  bool any_wanted = false;
  bool wanted = false;
  while (!terms.empty()) {
    const std::string_view term = terms.substr(0, terms.find(','));
    terms.remove_prefix(std::min(term.size() + 1, terms.size()));
    if (term.starts_with('-')) {
      if (name.find(term.substr(1)) != std::string_view::npos) return false;
    } else if (!term.empty()) {
      any_wanted = true;
      wanted = wanted || name.find(term) != std::string_view::npos;
    }
  }
  return wanted || !any_wanted;
}

template <typename Implementation>
std::vector<Implementation> allowed(std::initializer_list<Implementation> all) {
  const char* terms = std::getenv("MAQUETTE_KERNELS");
  std::vector<Implementation> list;
  for (const Implementation& implementation : all) {
    const bool last = &implementation == all.end() - 1;  // the reference stays
    if (last || !terms || is_allowed(implementation.name, terms)) list.push_back(implementation);
  }
  return list;
}

}  // namespace

std::span<const ConvImplementation> conv_implementations() {
  static const auto list = allowed<ConvImplementation>(
      {kAmxConv, kAmxSplit2Conv, kAmxSplit3Conv, kWinogradConvF32, kWinogradConvBf16, kAvx512ConvF32,
       kAvx512ConvBf16, kOnednnConvF32, kOnednnConvBf16, kReferenceConv});
  return list;
}

std::span<const ConvImplementation> enlarged_conv_implementations() {
  static const auto list = [] {
    auto all = allowed<ConvImplementation>(
        {kAmxEnlargedConv, kAmxSplit2EnlargedConv, kAvx512EnlargedConvBf16, kReferenceConv});
    all.pop_back();  // the reference enlarges, then convolves
    // So do tiles where rows are too short for them: four times faster than registers.
    const bool has_tiles = cpu().amx_bf16 && !all.empty() && all.front().name == kAmxEnlargedConv.name;
    if (has_tiles) std::erase_if(all, [](const auto& i) { return i.name == kAvx512EnlargedConvBf16.name; });
    return all;
  }();
  return list;
}

std::span<const MatmulImplementation> matmul_implementations() {
  static const auto list =
      allowed<MatmulImplementation>({kAmxMatmul, kAmxSplit3Matmul, kAvx512MatmulF32, kAvx512MatmulBf16,
                                     kOnednnMatmulF32, kOnednnMatmulBf16, kReferenceMatmul});
  return list;
}

std::span<const AttentionImplementation> attention_implementations() {
  static const auto list = allowed<AttentionImplementation>(
      {kAmxAttention, kAmxSplitAttention, kAvx512AttentionF32, kAvx512AttentionBf16, kReferenceAttention});
  return list;
}

}  // namespace maquette::kernels
