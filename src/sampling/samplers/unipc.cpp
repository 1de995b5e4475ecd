// UniPC (Zhao et al. 2023, arXiv:2302.04867, algorithms 1 and 2): a predictor, and a corrector that uses the
// model's answer at the predicted point, which the next step needs anyway. Written in x / sqrt(alpha_bar) and
// sigma, where lambda = -log sigma:
//   x_next = (sigma_next / sigma) x - (e^-h - 1) D - B(-h) sum_k rho_k (D_k - D) / r_k
// The weights rho solve R rho = b with R[n][k] = r_k^n and b[n] = n! h phi_(n+1)(h) / B(h).
#include <algorithm>
#include <cmath>

#include "sampling/rounded_math.h"
#include "sampling/samplers/steps.h"
#include "sampling/samplers/unipc_weights.h"

namespace maquette::sampling {

namespace {

// Gaussian elimination with row pivoting for the handful of unknowns.
std::vector<float> solved(std::vector<std::vector<double>> matrix, std::vector<double> right) {
  const size_t n = right.size();
  for (size_t column = 0; column < n; ++column) {
    size_t pivot = column;
    for (size_t row = column + 1; row < n; ++row) {
      if (std::abs(matrix[row][column]) > std::abs(matrix[pivot][column])) pivot = row;
    }
    std::swap(matrix[column], matrix[pivot]);
    std::swap(right[column], right[pivot]);
    for (size_t row = column + 1; row < n; ++row) {
      const double factor = matrix[row][column] / matrix[column][column];
      for (size_t k = column; k < n; ++k) matrix[row][k] -= factor * matrix[column][k];
      right[row] -= factor * right[column];
    }
  }
  std::vector<float> solution(n);
  for (size_t row = n; row-- > 0;) {
    double value = right[row];
    for (size_t k = row + 1; k < n; ++k) value -= matrix[row][k] * static_cast<double>(solution[k]);
    solution[row] = static_cast<float>(value / matrix[row][row]);
  }
  return solution;
}

}  // namespace

UniPcWeights unipc_weights(const UniPcRequest& request) {
  const float hh = request.hh;
  UniPcWeights weights;
  weights.h_phi_1 = expm1_f32(hh);
  weights.b_h = request.bh1 ? hh : expm1_f32(hh);

  std::vector<float> ratios = request.ratios;
  ratios.push_back(1);
  const size_t order = ratios.size();

  // Row n holds the powers r_k^n and the moment that they must meet.
  std::vector<std::vector<double>> powers;
  std::vector<double> moments;
  float h_phi_k = weights.h_phi_1 / hh - 1;
  float factorial = 1;
  for (size_t n = 0; n < order; ++n) {
    std::vector<double> row;
    for (const float r : ratios) row.push_back(std::pow(r, static_cast<float>(n)));
    powers.push_back(row);
    moments.push_back(h_phi_k * factorial / weights.b_h);
    factorial *= static_cast<float>(n + 2);
    h_phi_k = h_phi_k / hh - 1 / factorial;
  }

  // At second order the predictor, and at first order the corrector, take 1/2, as the authors do.
  weights.corrector = order == 1 ? std::vector<float>{0.5f} : solved(powers, moments);
  if (order == 2) {
    weights.predictor = {0.5f};
  } else if (order > 2) {
    for (auto& row : powers) row.pop_back();
    powers.pop_back();
    moments.pop_back();
    weights.predictor = solved(powers, moments);
  }
  return weights;
}

namespace {

// What the latest steps left behind; the newest first.
struct History {
  std::vector<Tensor> denoised;
  std::vector<float> lambdas;
};

struct Update {
  float from;  // sigma
  float to;
  int order;
  bool bh1;
};

// x at `to`, from x at `from`: the predictor, or with the denoised image at `to` the corrector.
Tensor unipc_update(const Tensor& x, const History& history, const Update& update, const Tensor* at_target) {
  const float h = -log_f32(update.to) - history.lambdas[0];
  UniPcRequest request{.ratios = {}, .hh = -h, .bh1 = update.bh1};
  for (int k = 1; k < update.order; ++k) {
    request.ratios.push_back((history.lambdas[static_cast<size_t>(k)] - history.lambdas[0]) / h);
  }
  const UniPcWeights weights = unipc_weights(request);
  const auto& rho = at_target ? weights.corrector : weights.predictor;

  const Tensor& d0 = history.denoised[0];
  std::vector<Tensor> differences;
  for (size_t k = 0; k < request.ratios.size(); ++k) {
    differences.push_back(difference_over(history.denoised[k + 1], d0, request.ratios[k]));
  }
  if (at_target) differences.push_back(combine({{1.0f, *at_target}, {-1.0f, d0}}));

  std::vector<std::pair<float, const Tensor*>> terms = {{update.to / update.from, &x},
                                                        {-weights.h_phi_1, &d0}};
  for (size_t k = 0; k < differences.size(); ++k) terms.emplace_back(-weights.b_h * rho[k], &differences[k]);
  return combine(terms);
}

}  // namespace

Tensor sample_unipc(const Denoiser& denoise, Tensor x, std::span<const float> given,
                    const SampleSettings& settings) {
  // The method has no step to sigma = 0; the last level is then 0.001, as in ComfyUI.
  std::vector<float> sigmas(given.begin(), given.end());
  if (sigmas.back() == 0) sigmas.back() = 0.001f;
  const int steps = static_cast<int>(sigmas.size()) - 1;
  const int most = std::max(settings.order > 0 ? std::min(settings.order, steps) : std::min(3, steps - 1), 1);

  History history;
  Tensor corrected = x;
  int order = 1;
  for (int i = 0; i < steps; ++i) {
    const auto at = static_cast<size_t>(i);
    const Tensor denoised = denoise(x, sigmas[at]);
    corrected = i == 0 ? x
                       : unipc_update(corrected, history, {sigmas[at - 1], sigmas[at], order, settings.bh1},
                                      &denoised);
    history.denoised.insert(history.denoised.begin(), denoised);
    history.lambdas.insert(history.lambdas.begin(), -log_f32(sigmas[at]));
    if (history.denoised.size() > 3) {
      history.denoised.pop_back();
      history.lambdas.pop_back();
    }

    // The order grows with the history and falls again towards the end.
    order = std::min({most, i + 1, steps - i});
    x = unipc_update(corrected, history, {sigmas[at], sigmas[at + 1], order, settings.bh1}, nullptr);
    finish_step(settings, given, at, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
