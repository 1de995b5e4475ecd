// The table of adapter families, in the order in which a module's tensors are tried.
#include <algorithm>
#include <array>
#include <cmath>

#include "models/adapters/weight_change.h"

namespace maquette::models {

namespace {

constexpr std::string_view kLora[] = {"lora_up", "lora_down", "lora_mid"};
constexpr std::string_view kLoha[] = {"hada_w1_a", "hada_w1_b", "hada_w2_a",
                                      "hada_w2_b", "hada_t1",   "hada_t2"};
constexpr std::string_view kLokr[] = {"lokr_w1",   "lokr_w1_a", "lokr_w1_b", "lokr_w2",
                                      "lokr_w2_a", "lokr_w2_b", "lokr_t2"};
constexpr std::string_view kGlora[] = {"a1", "a2", "b1", "b2"};
constexpr std::string_view kIa3[] = {"weight", "on_input"};
constexpr std::string_view kPeftIa3[] = {"ia3_l"};
constexpr std::string_view kFull[] = {"diff"};
constexpr std::string_view kNorm[] = {"w_norm"};
constexpr std::string_view kOft[] = {"oft_blocks", "rescale"};

constexpr std::array<AdapterFamily, 9> kFamilies = {{
    {"LoRA", std::span(kLora), kLora, make_lora},
    {"LoHa", std::span(kLoha), kLoha, make_loha},
    {"LoKr", std::span(kLokr), kLokr, make_lokr},
    {"GLoRA", std::span(kGlora), kGlora, make_glora},
    {"(IA)^3", std::span(kIa3).subspan(1), kIa3, make_ia3},
    {"(IA)^3", std::span(kPeftIa3), kPeftIa3, make_peft_ia3},
    {"full difference", std::span(kFull), kFull, make_full},
    {"norm", std::span(kNorm), kNorm, make_norm},
    {"OFT", std::span(kOft).first(1), kOft, make_oft},
}};

}  // namespace

std::span<const AdapterFamily> adapter_families() { return kFamilies; }

WeightSides::WeightSides(const Shape& shape) {
  if (shape.rank() > 0) out = shape[0];
  if (shape.rank() > 1) in = shape[1];
  for (int i = 2; i < shape.rank(); ++i) window *= shape[i];
}

Tensor ModuleTensors::get(std::string_view name) const {
  const auto found = tensors.find(name);
  return found == tensors.end() ? Tensor() : found->second;
}

double ModuleTensors::scale(int64_t rank) const {
  if (!alpha || *alpha == 0) return 1;
  const auto r = static_cast<double>(rank);
  return *alpha / (root_of_rank ? std::sqrt(r) : r);
}

void require_tensors(bool fits, std::string_view kind, const ModuleTensors& module) {
  if (fits) return;
  std::string found;
  for (const auto& [name, tensor] : module.tensors) {
    found += fmt::format("{}{} {}", found.empty() ? "" : ", ", name, tensor.shape().text());
  }
  throw Error(ErrorCode::weights, "cannot read a {} module", kind)
      .with("found", found)
      .hint("a tensor is missing, or its shape does not go with the others");
}

}  // namespace maquette::models
