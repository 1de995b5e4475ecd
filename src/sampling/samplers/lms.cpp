// The linear multistep method (Adams-Bashforth for uneven steps) of order 4 on the probability flow: the
// slope is the polynomial through the latest four, integrated exactly over the step (k-diffusion; Hairer,
// Norsett and Wanner, Solving Ordinary Differential Equations I, section III.5).
#include <array>

#include "sampling/samplers/lms_weights.h"
#include "sampling/samplers/steps.h"

namespace maquette::sampling {

std::vector<double> lms_weights(std::span<const float> points, size_t i, int order) {
  // Four Gauss-Legendre points integrate polynomials up to degree 7 exactly.
  constexpr std::array<double, 4> kNodes = {-0.8611363115940526, -0.3399810435848563, 0.3399810435848563,
                                            0.8611363115940526};
  constexpr std::array<double, 4> kWeights = {0.3478548451374538, 0.6521451548625461, 0.6521451548625461,
                                              0.3478548451374538};
  const double begin = points[i];
  const double end = points[i + 1];
  std::vector<double> weights;
  for (int j = 0; j < order; ++j) {
    double integral = 0;
    for (size_t n = 0; n < kNodes.size(); ++n) {
      const double tau = 0.5 * (end - begin) * kNodes[n] + 0.5 * (end + begin);
      double product = 1;
      for (int k = 0; k < order; ++k) {
        if (k == j) continue;
        const double other = points[i - static_cast<size_t>(k)];
        product *= (tau - other) / (points[i - static_cast<size_t>(j)] - other);
      }
      integral += kWeights[n] * product;
    }
    weights.push_back(0.5 * (end - begin) * integral);
  }
  return weights;
}

Tensor sample_lms(const Denoiser& denoise, Tensor x, std::span<const float> sigmas,
                  const SampleSettings& settings) {
  const size_t most = settings.order > 0 ? static_cast<size_t>(settings.order) : 4;
  std::vector<Tensor> slopes;  // the newest first
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const Tensor denoised = denoise(x, sigmas[i]);
    slopes.insert(slopes.begin(), derivative(x, denoised, sigmas[i]));
    if (slopes.size() > most) slopes.pop_back();

    const auto weights = lms_weights(sigmas, i, static_cast<int>(slopes.size()));
    std::vector<std::pair<float, const Tensor*>> terms;
    for (size_t j = 0; j < slopes.size(); ++j) terms.emplace_back(static_cast<float>(weights[j]), &slopes[j]);
    const Tensor change = combine(terms);
    x = combine({{1.0f, x}, {1.0f, change}});
    finish_step(settings, sigmas, i, x, denoised);
  }
  return x;
}

}  // namespace maquette::sampling
