// GLoRA (Chavan et al. 2023) as LyCORIS publishes it: dW = scale (W a1 a2 + b1 b2), where a1 a2 acts on the
// input channels of W. The first releases had the two factors of each pair the other way round.
#include <utility>

#include "kernels/exec.h"
#include "models/adapters/weight_change.h"

namespace maquette::models {

namespace {

class Glora final : public WeightChange {
 public:
  explicit Glora(const ModuleTensors& module)
      : a1_(module.get("a1")), a2_(module.get("a2")), b1_(module.get("b1")), b2_(module.get("b2")) {
    for (const Tensor* t : {&a1_, &a2_, &b1_, &b2_}) {
      require_tensors(t->defined() && t->rank() >= 2 && t->elements() > 0, kind(), module);
    }
    // In the order of today a1 is tall and a2 wide. Both orders may fit a square layer: the rank is the small
    // size.
    const bool today = fit_together(a1_, a2_, b1_, b2_);
    const bool swapped = fit_together(a2_, a1_, b2_, b1_);
    require_tensors(today || swapped, kind(), module);
    if (!today || (swapped && a1_.size(0) < a2_.size(0))) {
      std::swap(a1_, a2_);
      std::swap(b1_, b2_);
    }
    scale_ = static_cast<float>(module.scale(a2_.size(0)));
  }

  std::string_view kind() const override { return "GLoRA"; }

  std::optional<Misfit> misfit(const Shape& weight) const override {
    const WeightSides sides(weight);
    const bool fits = weight.rank() >= 2 && b1_.size(0) == sides.out && columns(b2_) == sides.columns() &&
                      a1_.size(0) == sides.in;
    if (fits) return std::nullopt;
    return Misfit{fmt::format("GLoRA of {} x {} on {} inputs", b1_.size(0), columns(b2_), a1_.size(0)),
                  weight.text()};
  }

  Tensor difference(const Tensor& weight) const override {
    const WeightSides sides(weight.shape());
    Tensor out = dense::product(dense::matrix(b1_), dense::matrix(b2_));
    const Tensor a1 = dense::matrix(a1_);
    const Tensor a2 = dense::matrix(a2_);
    const int64_t rank = a2.size(0);
    // For each row of W and each tap of the window: (w a1) a2.
    kernels::parallel_for(sides.out, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> narrow(static_cast<size_t>(rank));
      for (int64_t o = begin; o < end; ++o) {
        for (int64_t k = 0; k < sides.window; ++k) {
          const float* w = weight.data().data() + o * sides.columns() + k;
          float* to = out.data().data() + o * sides.columns() + k;
          std::ranges::fill(narrow, 0.0f);
          for (int64_t i = 0; i < sides.in; ++i) {
            for (int64_t r = 0; r < rank; ++r)
              narrow[static_cast<size_t>(r)] +=
                  w[i * sides.window] * a1.data()[static_cast<size_t>(i * rank + r)];
          }
          for (int64_t r = 0; r < rank; ++r) {
            const float v = narrow[static_cast<size_t>(r)];
            const float* row = a2.data().data() + r * sides.in;
            for (int64_t j = 0; j < sides.in; ++j) to[j * sides.window] += v * row[j];
          }
        }
      }
    });
    for (float& v : out.data()) v *= scale_;
    return out.reshape(weight.shape());
  }

 private:
  static int64_t columns(const Tensor& t) { return t.elements() / t.size(0); }
  // a1 [in, rank], a2 [rank, in], b1 [out, rank], b2 [rank, in window]
  static bool fit_together(const Tensor& a1, const Tensor& a2, const Tensor& b1, const Tensor& b2) {
    return columns(a1) == a2.size(0) && a1.size(0) == columns(a2) && columns(b1) == b2.size(0) &&
           columns(b2) % a1.size(0) == 0;
  }

  Tensor a1_, a2_, b1_, b2_;
  float scale_ = 1;
};

}  // namespace

std::unique_ptr<WeightChange> make_glora(const ModuleTensors& module) {
  return std::make_unique<Glora>(module);
}

}  // namespace maquette::models
