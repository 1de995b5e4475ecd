// (IA)^3 (Liu et al. 2022): a factor for each output or each input of a layer. LyCORIS stores what is added
// (W' = W + W l), PEFT the factor itself (W' = W l); its factors of outputs
// belong to the bias as well.
#include "models/adapters/weight_change.h"

namespace maquette::models {

namespace {

enum class Side { output, input };

class Ia3 final : public WeightChange {
 public:
  Ia3(Tensor factors, Side side, float offset)
      : factors_(dense::widened(factors).reshape({factors.elements()})), side_(side), offset_(offset) {}

  std::string_view kind() const override { return "(IA)^3"; }

  std::optional<Misfit> misfit(const Shape& weight) const override {
    const WeightSides sides(weight);
    const int64_t width = side_ == Side::input ? sides.in : sides.out;
    if (weight.rank() >= (side_ == Side::input ? 2 : 1) && factors_.elements() == width) return std::nullopt;
    return Misfit{
        fmt::format("(IA)^3 of {} {}", factors_.elements(), side_ == Side::input ? "inputs" : "outputs"),
        weight.text()};
  }

  Tensor difference(const Tensor& weight) const override {
    const WeightSides sides(weight.shape());
    Tensor out = weight.clone();
    float* to = out.data().data();
    const float* factor = factors_.data().data();
    for (int64_t o = 0; o < sides.out; ++o) {
      for (int64_t c = 0; c < sides.columns(); ++c) {
        *to++ *= factor[side_ == Side::input ? c / sides.window : o] + offset_;
      }
    }
    return out;
  }

 private:
  Tensor factors_;
  Side side_;
  float offset_;
};

}  // namespace

std::unique_ptr<WeightChange> make_ia3(const ModuleTensors& module) {
  const Tensor factors = module.get("weight");
  const Tensor on_input = module.get("on_input");
  require_tensors(factors.defined() && factors.elements() > 0 && on_input.elements() == 1, "(IA)^3", module);
  const bool input = on_input.to(DType::f32).data()[0] != 0;
  return std::make_unique<Ia3>(factors, input ? Side::input : Side::output, 0.0f);
}

std::unique_ptr<WeightChange> make_peft_ia3(const ModuleTensors& module) {
  const Tensor factors = module.get("ia3_l");
  // [out, 1] or [1, in], with further ones for convolutions.
  const bool fits = factors.rank() >= 2 && factors.elements() > 0 &&
                    (factors.size(0) == factors.elements() || factors.size(1) == factors.elements());
  require_tensors(fits, "(IA)^3", module);
  return std::make_unique<Ia3>(factors, factors.size(0) == factors.elements() ? Side::output : Side::input,
                               -1.0f);
}

}  // namespace maquette::models
