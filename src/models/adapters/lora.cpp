// LoRA (Hu et al. 2021) and its convolutions (LoCon): dW = scale up down, with down [rank, in kh kw]
// flattened. With a middle tensor (Tucker form) down is 1x1 and the window lies in mid [rank, rank, kh, kw]:
//   dW[o, i, k] = scale sum_ab up[o, a] mid[a, b, k] down[b, i]
#include "models/adapters/weight_change.h"

namespace maquette::models {

namespace {

class Lora final : public WeightChange {
 public:
  explicit Lora(const ModuleTensors& module)
      : up_(module.get("lora_up")), down_(module.get("lora_down")), mid_(module.get("lora_mid")) {
    require_tensors(fits_together(), kind(), module);
    scale_ = module.scale(down_.size(0));
  }

  std::string_view kind() const override { return "LoRA"; }

  std::optional<Misfit> misfit(const Shape& weight) const override {
    const WeightSides sides(weight);
    const int64_t window = mid_.defined() ? mid_.elements() / (mid_.size(0) * mid_.size(1)) : 1;
    const int64_t columns = down_.elements() / down_.size(0) * window;
    if (weight.rank() >= 2 && up_.size(0) == sides.out && columns == sides.columns()) return std::nullopt;
    return Misfit{fmt::format("LoRA of {} x {}", up_.size(0), columns), weight.text()};
  }

  bool is_product() const override { return true; }
  std::optional<dense::Factors> factors(const Shape&) const override {
    Tensor up = dense::matrix(up_).clone();
    for (float& v : up.data()) v *= static_cast<float>(scale_);
    Tensor down = dense::matrix(down_);
    if (mid_.defined()) down = dense::fold_core(mid_, down);
    return dense::Factors{.up = up, .down = down};
  }

  Tensor difference(const Tensor& weight) const override {
    const dense::Factors f = *factors(weight.shape());
    return dense::product(f.up, f.down).reshape(weight.shape());
  }

 private:
  // up [out, a] (and trailing ones), mid [a, b, ...] or none, down [b, ...]; without mid a = b.
  bool fits_together() const {
    if (!up_.defined() || !down_.defined() || up_.rank() < 2 || down_.rank() < 2) return false;
    if (up_.elements() == 0 || down_.elements() == 0) return false;
    if (up_.elements() != up_.size(0) * up_.size(1)) return false;
    if (!mid_.defined()) return up_.size(1) == down_.size(0);
    return mid_.rank() >= 2 && mid_.elements() > 0 && mid_.size(0) == up_.size(1) &&
           mid_.size(1) == down_.size(0) && down_.elements() == down_.size(0) * down_.size(1);
  }

  Tensor up_, down_, mid_;
  double scale_ = 1;
};

}  // namespace

std::unique_ptr<WeightChange> make_lora(const ModuleTensors& module) {
  return std::make_unique<Lora>(module);
}

}  // namespace maquette::models
