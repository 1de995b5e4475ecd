// A full difference: the adapter holds what is added to the weight, element by element. The same for the
// scale of a norm layer (w_norm).
#include "models/adapters/weight_change.h"

namespace maquette::models {

namespace {

// Sizes of 1 at the end mean nothing: 1x1 convolutions are linear layers in some releases.
bool same_but_for_ones(const Shape& a, const Shape& b) {
  const int longer = std::max(a.rank(), b.rank());
  for (int i = 0; i < longer; ++i) {
    if ((i < a.rank() ? a[i] : 1) != (i < b.rank() ? b[i] : 1)) return false;
  }
  return true;
}

class Full final : public WeightChange {
 public:
  Full(Tensor difference, std::string_view kind) : difference_(std::move(difference)), kind_(kind) {}

  std::string_view kind() const override { return kind_; }

  std::optional<Misfit> misfit(const Shape& weight) const override {
    if (same_but_for_ones(difference_.shape(), weight)) return std::nullopt;
    return Misfit{fmt::format("{} of {}", kind_, difference_.shape().text()), weight.text()};
  }

  Tensor difference(const Tensor& weight) const override {
    return dense::widened(difference_).reshape(weight.shape());
  }

 private:
  Tensor difference_;
  std::string_view kind_;
};

}  // namespace

std::unique_ptr<WeightChange> make_full(const ModuleTensors& module) {
  return std::make_unique<Full>(module.get("diff"), "full difference");
}

std::unique_ptr<WeightChange> make_norm(const ModuleTensors& module) {
  return std::make_unique<Full>(module.get("w_norm"), "norm");
}

std::unique_ptr<WeightChange> make_bias(Tensor difference) {
  return std::make_unique<Full>(std::move(difference), "bias");
}

}  // namespace maquette::models
