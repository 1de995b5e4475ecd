// Sequences with the roundings of numpy and torch, and the inverse of the regularised incomplete beta
// function (continued fraction of DLMF 8.17.22 by Lentz's method, inverted by bisection and Newton steps).
#include "sampling/numeric.h"

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>

namespace maquette::sampling {

std::vector<double> linspace(double start, double stop, int count) {
  std::vector<double> values(static_cast<size_t>(std::max(count, 0)));
  if (count == 1) values[0] = start;
  if (count < 2) return values;
  const double step = (stop - start) / (count - 1);
  for (int i = 0; i < count; ++i) values[static_cast<size_t>(i)] = i * step + start;
  values.back() = stop;
  return values;
}

// torch fills from both ends, so that the sequence is symmetric, with one rounding per value (a fused
// multiply-add).
std::vector<float> linspace_f32(float start, float stop, int count) {
  std::vector<float> values(static_cast<size_t>(std::max(count, 0)));
  if (count == 1) values[0] = start;
  if (count < 2) return values;
  const float step = (stop - start) / static_cast<float>(count - 1);
  for (int i = 0; i < count; ++i) {
    values[static_cast<size_t>(i)] = i < count / 2 ? std::fma(step, static_cast<float>(i), start)
                                                   : std::fma(-step, static_cast<float>(count - i - 1), stop);
  }
  return values;
}

std::vector<double> arange(double start, double stop, double step) {
  const auto count = static_cast<size_t>(std::max(std::ceil((stop - start) / step), 0.0));
  const double delta = (start + step) - start;
  std::vector<double> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = start + static_cast<double>(i) * delta;
  return values;
}

double interpolate(double x, const std::vector<double>& values) {
  const auto last = static_cast<double>(values.size() - 1);
  if (x <= 0) return values.front();
  if (x >= last) return values.back();
  const double below = std::floor(x);
  const auto i = static_cast<size_t>(below);
  const double slope = values[i + 1] - values[i];
  return slope * (x - below) + values[i];
}

double round_half_even(double x) { return std::nearbyint(x); }

namespace {

// I_x(a, b) for x below the mean, where the continued fraction converges quickly.
double incomplete_beta_tail(double x, double a, double b) {
  const double tiny = std::numeric_limits<double>::min() / std::numeric_limits<double>::epsilon();
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x)) /
      a;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < tiny ? tiny : d);
  double fraction = d;
  for (int m = 1; m < 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 1;
    for (const double coefficient : {even, odd}) {
      d = 1 + coefficient * d;
      d = 1 / (std::abs(d) < tiny ? tiny : d);
      c = 1 + coefficient / c;
      if (std::abs(c) < tiny) c = tiny;
      change = c * d;
      fraction *= change;
    }
    if (std::abs(change - 1) < 1e-16) break;
  }
  return front * fraction;
}

double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x < (a + 1) / (a + b + 2)) return incomplete_beta_tail(x, a, b);
  return 1 - incomplete_beta_tail(1 - x, b, a);
}

}  // namespace

double beta_quantile(double probability, double a, double b) {
  if (probability <= 0) return 0;
  if (probability >= 1) return 1;
  // Near 1 the answer is found from the other end, where it is small and keeps its digits.
  if (probability > incomplete_beta(0.5, a, b)) return 1 - beta_quantile(1 - probability, b, a);

  double low = 0;
  double high = 0.5;
  double x = 0.25;
  for (int i = 0; i < 200; ++i) {
    const double error = incomplete_beta(x, a, b) - probability;
    (error > 0 ? high : low) = x;
    const double density = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                    (a - 1) * std::log(x) + (b - 1) * std::log1p(-x));
    double next = x - error / density;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - x) <= 1e-16 * x) return next;
    x = next;
  }
  return x;
}

}  // namespace maquette::sampling
