// LoKr (Edalati et al. 2022; Yeh et al. 2023): a Kronecker product, dW = scale kron(w1, w2), where either
// factor may itself be a low-rank product, and w2 of a convolution a Tucker decomposition. The scale is alpha
// over the rank of the low-rank factor, and 1 where both factors are full matrices
// (except in PEFT, which always divides by the rank of its configuration).
//   dW[p b + q, r d + s, k] = w1[p, r] w2[q, s, k]      w1 [a, c], w2 [b, d, window]
#include "kernels/exec.h"
#include "models/adapters/weight_change.h"

namespace maquette::models {

namespace {

bool is_matrix(const Tensor& t) { return t.defined() && t.rank() >= 2 && t.elements() > 0; }
bool is_pair(const Tensor& a, const Tensor& b) { return is_matrix(a) && a.rank() == 2 && is_matrix(b); }

class Lokr final : public WeightChange {
 public:
  explicit Lokr(const ModuleTensors& module)
      : w1_(module.get("lokr_w1")),
        w1_a_(module.get("lokr_w1_a")),
        w1_b_(module.get("lokr_w1_b")),
        w2_(module.get("lokr_w2")),
        w2_a_(module.get("lokr_w2_a")),
        w2_b_(module.get("lokr_w2_b")),
        core_(module.get("lokr_t2")) {
    require_tensors(first_fits() && second_fits(), kind(), module);
    if (!w2_.defined()) {
      scale_ = static_cast<float>(module.scale(w2_b_.size(0)));
    } else if (!w1_.defined()) {
      scale_ = static_cast<float>(module.scale(w1_b_.size(0)));
    } else if (module.configured_rank && *module.configured_rank > 0) {
      scale_ = static_cast<float>(module.scale(static_cast<int64_t>(*module.configured_rank)));
    }
  }

  std::string_view kind() const override { return "LoKr"; }

  std::optional<Misfit> misfit(const Shape& weight) const override {
    const WeightSides sides(weight);
    const bool fits = weight.rank() >= 2 && rows_1() * rows_2() == sides.out &&
                      columns_1() * columns_2() == sides.columns() && columns_2() % sides.window == 0;
    if (fits) return std::nullopt;
    return Misfit{fmt::format("LoKr of {} x {}", rows_1() * rows_2(), columns_1() * columns_2()),
                  weight.text()};
  }

  Tensor difference(const Tensor& weight) const override {
    const Tensor first =
        w1_.defined() ? dense::matrix(w1_) : dense::product(dense::matrix(w1_a_), dense::matrix(w1_b_));
    const Tensor second = second_factor();
    Tensor out = Tensor::empty(weight.shape());
    const float* x = first.data().data();
    const float* y = second.data().data();
    float* z = out.data().data();
    const int64_t b = rows_2(), c = columns_1(), block = columns_2();
    // Row p b + q holds the q-th row of w2 once for each element of the p-th row of w1: the window stays
    // innermost.
    kernels::parallel_for(rows_1() * b, std::max<int64_t>((int64_t{1} << 16) / (c * block), 1),
                          [&](int64_t begin, int64_t end) {
                            for (int64_t row = begin; row < end; ++row) {
                              const float* from = y + row % b * block;
                              float* to = z + row * c * block;
                              for (int64_t r = 0; r < c; ++r) {
                                const float factor = scale_ * x[row / b * c + r];
                                for (int64_t s = 0; s < block; ++s) to[r * block + s] = factor * from[s];
                              }
                            }
                          });
    return out;
  }

 private:
  bool first_fits() const {
    return w1_.defined() ? is_matrix(w1_) : is_pair(w1_a_, w1_b_) && w1_a_.size(1) == w1_b_.size(0);
  }
  bool second_fits() const {
    if (w2_.defined()) return is_matrix(w2_);
    if (!is_pair(w2_a_, w2_b_)) return false;
    if (!core_.defined()) return w2_a_.size(1) == w2_b_.size(0);
    return is_matrix(core_) && core_.size(0) == w2_a_.size(0) && core_.size(1) == w2_b_.size(0) &&
           w2_b_.rank() == 2;
  }

  static int64_t columns_of(const Tensor& t) { return t.elements() / t.size(0); }
  int64_t rows_1() const { return w1_.defined() ? w1_.size(0) : w1_a_.size(0); }
  int64_t columns_1() const { return columns_of(w1_.defined() ? w1_ : w1_b_); }
  int64_t rows_2() const {
    if (w2_.defined()) return w2_.size(0);
    return core_.defined() ? w2_a_.size(1) : w2_a_.size(0);
  }
  int64_t columns_2() const {  // d window
    if (w2_.defined()) return columns_of(w2_);
    return columns_of(w2_b_) * (core_.defined() ? core_.elements() / (core_.size(0) * core_.size(1)) : 1);
  }
  Tensor second_factor() const {
    if (w2_.defined()) return dense::matrix(w2_);
    if (!core_.defined()) return dense::product(dense::matrix(w2_a_), dense::matrix(w2_b_));
    return dense::product(dense::transposed(dense::matrix(w2_a_)),
                          dense::fold_core(core_, dense::matrix(w2_b_)));
  }

  Tensor w1_, w1_a_, w1_b_, w2_, w2_a_, w2_b_, core_;
  float scale_ = 1;
};

}  // namespace

std::unique_ptr<WeightChange> make_lokr(const ModuleTensors& module) {
  return std::make_unique<Lokr>(module);
}

}  // namespace maquette::models
