// Betas and their running products, in the precisions of the two families of programs.
//
// diffusers holds everything in f32 (the running product alone is accumulated in f64 by torch); the original
// latent-diffusion code, and so A1111 and ComfyUI, computes in f64 and rounds at the end. Sigmas differ in
// the seventh digit.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "sampling/numeric.h"
#include "sampling/schedule.h"

namespace maquette::sampling {

namespace {

// The signal left at time t in [0, 1] (Nichol and Dhariwal 2021, arXiv:2102.09672, equation 17, and
// variants).
double alpha_bar(const std::string& kind, double t) {
  if (kind == "exp") return std::exp(t * -12.0);
  if (kind == "laplace") {
    const double lambda = -0.5 * std::copysign(1.0, 0.5 - t) * std::log(1 - 2 * std::abs(0.5 - t) + 1e-6);
    const double snr = std::exp(lambda);
    return std::sqrt(snr / (1 + snr));
  }
  const double c = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
  return c * c;
}

std::vector<float> betas_from_alpha_bar(const std::string& kind, int count) {
  std::vector<float> betas;
  for (int i = 0; i < count; ++i) {
    const double t1 = static_cast<double>(i) / count;
    const double t2 = static_cast<double>(i + 1) / count;
    betas.push_back(static_cast<float>(std::min(1 - alpha_bar(kind, t2) / alpha_bar(kind, t1), 0.999)));
  }
  return betas;
}

std::vector<float> betas_f32(const BetaSettings& s) {
  if (!s.trained.empty()) return s.trained;
  if (s.schedule == "linear") {
    return linspace_f32(static_cast<float>(s.beta_start), static_cast<float>(s.beta_end), s.train_timesteps);
  }
  if (s.schedule == "scaled_linear") {
    auto betas = linspace_f32(static_cast<float>(std::sqrt(s.beta_start)),
                              static_cast<float>(std::sqrt(s.beta_end)), s.train_timesteps);
    for (float& b : betas) b = b * b;
    return betas;
  }
  if (s.schedule == "sigmoid") {
    auto betas = linspace_f32(-6, 6, s.train_timesteps);
    for (float& b : betas) {
      b = 1 / (1 + std::exp(-b)) * static_cast<float>(s.beta_end - s.beta_start) +
          static_cast<float>(s.beta_start);
    }
    return betas;
  }
  if (s.schedule == "squaredcos_cap_v2" || s.schedule == "laplace" || s.schedule == "exp") {
    return betas_from_alpha_bar(s.schedule, s.train_timesteps);
  }
  throw Error(ErrorCode::bad_file, "there is no beta schedule \"{}\"", s.schedule)
      .with("expected", "scaled_linear, linear, squaredcos_cap_v2, sigmoid, laplace or exp");
}

std::vector<float> running_product(const std::vector<float>& betas) {
  std::vector<float> products;
  double product = 1;
  for (const float beta : betas) {
    product *= 1.0f - beta;
    products.push_back(static_cast<float>(product));
  }
  return products;
}

// Shifts sqrt(alpha_bar) so that it ends at 0, and scales it so that it still starts where it did.
std::vector<float> betas_with_zero_terminal_snr(const std::vector<float>& betas) {
  std::vector<float> roots = running_product(betas);
  for (float& r : roots) r = std::sqrt(r);
  const float first = roots.front();
  const float last = roots.back();
  const float scale = first / (first - last);
  for (float& r : roots) r = (r - last) * scale;

  std::vector<float> out;
  for (size_t i = 0; i < roots.size(); ++i) {
    const float alpha_bar_i = roots[i] * roots[i];
    const float alpha = i == 0 ? alpha_bar_i : alpha_bar_i / (roots[i - 1] * roots[i - 1]);
    out.push_back(1 - alpha);
  }
  return out;
}

}  // namespace

std::vector<float> alphas_cumprod_f32(const BetaSettings& settings, bool zero_terminal_snr,
                                      std::optional<float> last) {
  if (settings.train_timesteps < 2 || settings.train_timesteps > 1000000) {
    throw Error(ErrorCode::bad_file, "cannot make a noise schedule of {} timesteps",
                settings.train_timesteps);
  }
  std::vector<float> betas = betas_f32(settings);
  if (betas.size() < 2)
    throw Error(ErrorCode::bad_file, "cannot make a noise schedule of {} betas", betas.size());
  if (zero_terminal_snr) betas = betas_with_zero_terminal_snr(betas);
  std::vector<float> products = running_product(betas);
  if (zero_terminal_snr && last) products.back() = *last;
  return products;
}

std::vector<float> sigmas_of(std::span<const float> alphas_cumprod) {
  std::vector<float> sigmas;
  for (const float a : alphas_cumprod) sigmas.push_back(std::sqrt((1 - a) / a));
  return sigmas;
}

NoiseLevels NoiseLevels::ldm(const BetaSettings& settings, bool zero_terminal_snr) {
  if (settings.train_timesteps < 2 || settings.train_timesteps > 1000000) {
    throw Error(ErrorCode::bad_file, "cannot make a noise schedule of {} timesteps",
                settings.train_timesteps);
  }
  // The linear family is computed in f64; anything else from its f32 betas.
  std::vector<double> betas;
  if (settings.trained.empty() && settings.schedule == "scaled_linear") {
    betas = linspace(std::sqrt(settings.beta_start), std::sqrt(settings.beta_end), settings.train_timesteps);
    for (double& b : betas) b = b * b;
  } else if (settings.trained.empty() && settings.schedule == "linear") {
    betas = linspace(settings.beta_start, settings.beta_end, settings.train_timesteps);
  } else {
    const auto f32 = betas_f32(settings);
    betas.assign(f32.begin(), f32.end());
  }

  std::vector<double> alpha_bars;
  double product = 1;
  for (const double beta : betas) alpha_bars.push_back(product *= 1 - beta);

  if (zero_terminal_snr) {
    const double first = std::sqrt(alpha_bars.front());
    const double last = std::sqrt(alpha_bars.back());
    for (double& a : alpha_bars) {
      const double root = (std::sqrt(a) - last) * (first / (first - last));
      a = root * root;
    }
    alpha_bars.back() = 4.8973451890853435e-08;
  }
  std::vector<float> sigmas;
  for (const double a : alpha_bars) sigmas.push_back(static_cast<float>(std::sqrt((1 - a) / a)));
  return NoiseLevels(std::move(sigmas));
}

}  // namespace maquette::sampling
