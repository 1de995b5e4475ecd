// DEIS with tabulated coefficients (Zhang and Chen 2023, arXiv:2204.13902, equation 15), order 3, in the form
// that ComfyUI uses: the slope dx/dsigma is a polynomial in the time t of the variance-preserving process, so
// each weight is the integral of (dsigma/dt) L_j(t) over the step. The integral is summed over 10,000 points
// as there, which is part of its numbers. The time axis is that of Karras et al. 2022 (arXiv:2206.00364,
// table 1, "VP") for sigma from 0.002 to 80 and t from 1e-3 to 1.
#include "sampling/numeric.h"
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

namespace {

class VpTime {
 public:
  VpTime() {
    constexpr double kEps = 1e-3;
    const double log_min = std::log(0.002 * 0.002 + 1);
    const double log_max = std::log(80.0 * 80.0 + 1);
    beta_d_ = 2 * (log_min / kEps - log_max) / (kEps - 1);
    beta_min_ = log_max - 0.5 * beta_d_;
  }
  double of_sigma(double sigma) const {
    return (std::sqrt(beta_min_ * beta_min_ + 2 * beta_d_ * std::log(sigma * sigma + 1)) - beta_min_) /
           beta_d_;
  }
  // alpha(t) = exp(-beta_d t^2 / 2 - beta_min t); -1/2 (log alpha)' / sqrt(alpha (1 - alpha)) is dsigma/dt.
  double sigma_slope(double t) const {
    const double alpha = std::exp(-0.5 * t * t * beta_d_ - t * beta_min_);
    return 0.5 * (t * beta_d_ + beta_min_) / std::sqrt(alpha * (1 - alpha));
  }

 private:
  double beta_d_;
  double beta_min_;
};

std::vector<float> deis_weights(const VpTime& time, const std::vector<double>& t, size_t i, int order) {
  constexpr int kPoints = 10000;
  std::vector<double> sums(static_cast<size_t>(order), 0.0);
  for (const double tau : linspace(t[i], t[i + 1], kPoints)) {
    const double slope = time.sigma_slope(tau);
    for (int j = 0; j < order; ++j) {
      double lagrange = 1;
      for (int k = 0; k < order; ++k) {
        if (k == j) continue;
        const double other = t[i - static_cast<size_t>(k)];
        lagrange *= (tau - other) / (t[i - static_cast<size_t>(j)] - other);
      }
      sums[static_cast<size_t>(j)] += slope * lagrange;
    }
  }
  std::vector<float> weights;
  for (const double sum : sums) weights.push_back(static_cast<float>(sum * (t[i + 1] - t[i]) / kPoints));
  return weights;
}

}  // namespace

Tensor sample_deis(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                   const SampleSettings& settings) {
  const size_t most = settings.order > 0 ? static_cast<size_t>(settings.order) : 3;
  const VpTime time;
  std::vector<double> t;
  for (const float sigma : sigmas) t.push_back(time.of_sigma(sigma));

  std::vector<Tensor> slopes;  // the newest first
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const Tensor denoised = denoise(x, sigmas[i]);
    slopes.insert(slopes.begin(), derivative(x, denoised, sigmas[i]));
    if (slopes.size() > most) slopes.pop_back();

    if (slopes.size() == 1 || sigmas[i + 1] <= 0) {
      x = combine({{1.0f, x}, {sigmas[i + 1] - sigmas[i], slopes[0]}});
    } else {
      const auto weights = deis_weights(time, t, i, static_cast<int>(slopes.size()));
      std::vector<std::pair<float, const Tensor*>> terms = {{1.0f, &x}};
      for (size_t j = 0; j < slopes.size(); ++j) terms.emplace_back(weights[j], &slopes[j]);
      x = combine(terms);
    }
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
