// Elementwise arithmetic on latents. Latents are a few megabytes at most and the networks take all the time,
// so these are single loops without threads: the same bits on every machine and for every number of threads.
#include "sampling/latent_math.h"

#include <algorithm>
#include <cmath>

namespace maquette::sampling {

namespace {

void check_same_shape(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape())) {
    throw Error(ErrorCode::failed, "cannot combine latents of shapes {} and {}", a.shape().text(),
                b.shape().text());
  }
}

void add_term(Tensor& sum, float factor, const Tensor& tensor, bool first) {
  if (!first) check_same_shape(sum, tensor);
  const auto from = tensor.data();
  auto to = sum.data();
  if (first) {
    for (size_t i = 0; i < to.size(); ++i) to[i] = factor * from[i];
  } else {
    for (size_t i = 0; i < to.size(); ++i) {
      const float product = factor * from[i];
      to[i] = to[i] + product;
    }
  }
}

}  // namespace

Tensor combine(std::initializer_list<Term> terms) {
  Tensor sum = Tensor::empty(terms.begin()->tensor.shape());
  bool first = true;
  for (const Term& term : terms) {
    add_term(sum, term.factor, term.tensor, first);
    first = false;
  }
  return sum;
}

Tensor combine(const std::vector<std::pair<float, const Tensor*>>& terms) {
  Tensor sum = Tensor::empty(terms.front().second->shape());
  bool first = true;
  for (const auto& [factor, tensor] : terms) {
    add_term(sum, factor, *tensor, first);
    first = false;
  }
  return sum;
}

Tensor scaled(const Tensor& x, float factor) { return combine({{factor, x}}); }

Tensor divided(const Tensor& x, float divisor) {
  Tensor out = Tensor::empty(x.shape());
  std::ranges::transform(x.data(), out.data().begin(), [divisor](float v) { return v / divisor; });
  return out;
}

Tensor difference_over(const Tensor& x, const Tensor& y, float divisor) {
  check_same_shape(x, y);
  Tensor out = Tensor::empty(x.shape());
  std::ranges::transform(x.data(), y.data(), out.data().begin(),
                         [divisor](float a, float b) { return (a - b) / divisor; });
  return out;
}

Tensor clamped(const Tensor& x, float low, float high) {
  Tensor out = Tensor::empty(x.shape());
  std::ranges::transform(x.data(), out.data().begin(), [=](float v) { return std::clamp(v, low, high); });
  return out;
}

Tensor dynamically_thresholded(const Tensor& x, float ratio, float largest) {
  Tensor out = Tensor::empty(x.shape());
  const auto images = static_cast<size_t>(x.size(0));
  const size_t elements = x.data().size() / std::max<size_t>(images, 1);
  std::vector<float> magnitudes(elements);
  for (size_t image = 0; image < images; ++image) {
    const auto from = x.data().subspan(image * elements, elements);
    auto to = out.data().subspan(image * elements, elements);

    // The quantile lies between two order statistics and is interpolated linearly.
    std::ranges::transform(from, magnitudes.begin(), [](float v) { return std::abs(v); });
    std::ranges::sort(magnitudes);
    const float rank = ratio * static_cast<float>(elements - 1);
    const auto below = static_cast<size_t>(std::floor(rank));
    const size_t above = std::min(below + 1, elements - 1);
    const float weight = rank - static_cast<float>(below);
    const float quantile = magnitudes[below] + weight * (magnitudes[above] - magnitudes[below]);

    const float s = std::min(std::max(quantile, 1.0f), largest);
    std::ranges::transform(from, to.begin(), [s](float v) { return std::min(std::max(v, -s), s) / s; });
  }
  return out;
}

bool all_finite(const Tensor& x) {
  return std::ranges::all_of(x.data(), [](float v) { return std::isfinite(v); });
}

}  // namespace maquette::sampling
