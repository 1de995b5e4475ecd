// LoHa (Hyeon-Woo et al. 2022; Yeh et al. 2023): the elementwise product of two low-rank matrices,
//   dW = scale (w1a w1b) * (w2a w2b)
// In the Tucker form each half is sum_ab w_a[a, o] t[a, b, k] w_b[b, i].
#include "models/adapters/weight_change.h"

namespace maquette::models {

namespace {

struct Half {
  Tensor a, b, core;

  bool fits_together() const {
    if (!a.defined() || !b.defined() || a.rank() != 2 || b.rank() < 2) return false;
    if (a.elements() == 0 || b.elements() == 0) return false;
    if (!core.defined()) return a.size(1) == b.size(0);
    return core.rank() >= 2 && core.elements() > 0 && core.size(0) == a.size(0) &&
           core.size(1) == b.size(0) && b.rank() == 2;
  }
  int64_t rows() const { return core.defined() ? a.size(1) : a.size(0); }
  int64_t columns() const {
    const int64_t window = core.defined() ? core.elements() / (core.size(0) * core.size(1)) : 1;
    return b.elements() / b.size(0) * window;
  }
  Tensor whole() const {
    if (!core.defined()) return dense::product(dense::matrix(a), dense::matrix(b));
    return dense::product(dense::transposed(dense::matrix(a)), dense::fold_core(core, dense::matrix(b)));
  }
};

class Loha final : public WeightChange {
 public:
  explicit Loha(const ModuleTensors& module)
      : one_{module.get("hada_w1_a"), module.get("hada_w1_b"), module.get("hada_t1")},
        two_{module.get("hada_w2_a"), module.get("hada_w2_b"), module.get("hada_t2")} {
    require_tensors(one_.fits_together() && two_.fits_together(), kind(), module);
    require_tensors(one_.rows() == two_.rows() && one_.columns() == two_.columns(), kind(), module);
    scale_ = static_cast<float>(module.scale(one_.b.size(0)));
  }

  std::string_view kind() const override { return "LoHa"; }

  std::optional<Misfit> misfit(const Shape& weight) const override {
    const WeightSides sides(weight);
    if (weight.rank() >= 2 && one_.rows() == sides.out && one_.columns() == sides.columns())
      return std::nullopt;
    return Misfit{fmt::format("LoHa of {} x {}", one_.rows(), one_.columns()), weight.text()};
  }

  Tensor difference(const Tensor& weight) const override {
    Tensor out = one_.whole();
    dense::multiply_scaled(out, scale_, two_.whole());
    return out.reshape(weight.shape());
  }

 private:
  Half one_, two_;
  float scale_ = 1;
};

}  // namespace

std::unique_ptr<WeightChange> make_loha(const ModuleTensors& module) {
  return std::make_unique<Loha>(module);
}

}  // namespace maquette::models
