// OFT (Qiu et al. 2023) with diagonal blocks: the rows of W are rotated in groups, W' = R^T W, with the
// rotation of each block from the Cayley transform of its skew-symmetric part, R = (I - Q)^-1 (I + Q), Q = B
// - B^T. Alpha, times the number of outputs, bounds the norm of all Q together (COFT). An optional factor per
// output follows.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/exec.h"
#include "models/adapters/weight_change.h"

namespace maquette::models {

namespace {

// Solves A X = B for X in place of B; n x n, row major; A is overwritten. Gauss and Jordan with the largest
// pivot of each column. I - Q is always regular: the eigenvalues of a skew-symmetric Q are imaginary.
void solve(std::vector<double>& a, std::vector<double>& b, size_t n) {
  const auto row = [n](std::vector<double>& m, size_t i) {
    return m.begin() + static_cast<std::ptrdiff_t>(i * n);
  };
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i) {
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    }
    if (pivot != k) {
      std::swap_ranges(row(a, k), row(a, k + 1), row(a, pivot));
      std::swap_ranges(row(b, k), row(b, k + 1), row(b, pivot));
    }
    const double inverse = 1 / a[k * n + k];
    for (size_t j = 0; j < n; ++j) {
      a[k * n + j] *= inverse;
      b[k * n + j] *= inverse;
    }
    for (size_t i = 0; i < n; ++i) {
      const double factor = a[i * n + k];
      if (i == k || factor == 0) continue;
      for (size_t j = 0; j < n; ++j) {
        a[i * n + j] -= factor * a[k * n + j];
        b[i * n + j] -= factor * b[k * n + j];
      }
    }
  }
}

class Oft final : public WeightChange {
 public:
  explicit Oft(const ModuleTensors& module)
      : blocks_(module.get("oft_blocks")),
        rescale_(module.get("rescale")),
        constraint_(module.alpha.value_or(0)) {
    const bool fits = blocks_.rank() == 3 && blocks_.elements() > 0 && blocks_.size(1) == blocks_.size(2) &&
                      (!rescale_.defined() || rescale_.elements() == outputs());
    require_tensors(fits, kind(), module);
  }

  std::string_view kind() const override { return "OFT"; }

  std::optional<Misfit> misfit(const Shape& weight) const override {
    if (weight.rank() >= 2 && weight[0] == outputs()) return std::nullopt;
    return Misfit{fmt::format("OFT of {} outputs", outputs()), weight.text()};
  }

  Tensor difference(const Tensor& weight) const override {
    const WeightSides sides(weight.shape());
    const auto n = static_cast<size_t>(blocks_.size(1));
    const Tensor blocks = dense::widened(blocks_);
    const double bound = bound_of(blocks, n);
    Tensor out = Tensor::zeros(weight.shape());
    kernels::parallel_for(blocks_.size(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) rotate_block(blocks, k, bound, {weight, out, sides.columns()});
    });
    if (rescale_.defined()) {
      const Tensor rescale = dense::widened(rescale_);
      for (int64_t o = 0; o < sides.out; ++o) {
        float* row = out.data().data() + o * sides.columns();
        for (int64_t c = 0; c < sides.columns(); ++c) row[c] *= rescale.data()[static_cast<size_t>(o)];
      }
    }
    dense::add_scaled(out, -1, weight);
    return out;
  }

 private:
  struct Rows {
    const Tensor& from;
    Tensor& to;
    int64_t columns;
  };

  int64_t outputs() const { return blocks_.size(0) * blocks_.size(1); }

  // The factor that brings the norm of all Q to the constraint, where it is beyond it.
  double bound_of(const Tensor& blocks, size_t n) const {
    const double constraint = constraint_ * static_cast<double>(outputs());
    if (!(constraint > 0)) return 1;
    double sum = 0;
    for (int64_t k = 0; k < blocks_.size(0); ++k) {
      const float* b = blocks.data().data() + static_cast<size_t>(k) * n * n;
      for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j < n; ++j) sum += std::pow(static_cast<double>(b[i * n + j]) - b[j * n + i], 2);
      }
    }
    const double norm = std::sqrt(sum) + 1e-8;
    return norm > constraint ? constraint / norm : 1;
  }

  static void rotate_block(const Tensor& blocks, int64_t k, double bound, const Rows& rows) {
    const auto n = static_cast<size_t>(blocks.size(1));
    const float* b = blocks.data().data() + static_cast<size_t>(k) * n * n;
    std::vector<double> minus(n * n);
    std::vector<double> r(n * n);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) {
        const double q = bound * (static_cast<double>(b[i * n + j]) - b[j * n + i]);
        r[i * n + j] = (i == j ? 1 : 0) + q;
        minus[i * n + j] = (i == j ? 1 : 0) - q;
      }
    }
    solve(minus, r, n);
    const float* from = rows.from.data().data() + k * static_cast<int64_t>(n) * rows.columns;
    float* to = rows.to.data().data() + k * static_cast<int64_t>(n) * rows.columns;
    for (size_t i = 0; i < n; ++i) {
      for (size_t m = 0; m < n; ++m) {
        const auto factor = static_cast<float>(r[i * n + m]);
        for (int64_t c = 0; c < rows.columns; ++c) {
          to[static_cast<int64_t>(m) * rows.columns + c] +=
              factor * from[static_cast<int64_t>(i) * rows.columns + c];
        }
      }
    }
  }

  Tensor blocks_, rescale_;
  double constraint_;
};

}  // namespace

std::unique_ptr<WeightChange> make_oft(const ModuleTensors& module) { return std::make_unique<Oft>(module); }

}  // namespace maquette::models
