// The spacings of diffusers (Lin et al. 2023, arXiv:2305.08891, table 2) with the roundings of numpy, and the
// rules of Karras et al. 2022 (arXiv:2206.00364, equation 5), Lee et al. 2024 (arXiv:2407.12173) and Lu et
// al. 2022.
#include "sampling/schedulers/spacing.h"

#include <algorithm>
#include <cmath>

#include "sampling/numeric.h"

namespace maquette::sampling {

TrainedLevels trained_levels(const SchedulerConfig& config, std::optional<float> last_alpha) {
  TrainedLevels levels;
  levels.alphas_cumprod = alphas_cumprod_f32(config.betas, config.zero_terminal_snr, last_alpha);
  levels.sigmas = sigmas_of(levels.alphas_cumprod);
  for (const float sigma : levels.sigmas) levels.log_sigmas.push_back(std::log(sigma));
  return levels;
}

void check_steps(int steps, int most, const SchedulerConfig& config) {
  if (steps >= 1 && steps <= most) return;
  throw Error(ErrorCode::usage, "cannot sample in {} steps with {}", steps, name(config.scheduler))
      .with("expected", fmt::format("1 to {}", most));
}

void refuse_custom(const SchedulerConfig& config, const SchedulerSteps& steps, bool takes_timesteps) {
  if (!steps.sigmas.empty() || (!steps.timesteps.empty() && !takes_timesteps)) {
    throw Error(ErrorCode::usage, "cannot use custom noise levels with {} in the diffusers dialect",
                name(config.scheduler))
        .hint("euler takes them; the a1111 and comfy dialects take them with every sampler");
  }
}

namespace {

std::vector<double> reversed(std::vector<double> values) {
  std::ranges::reverse(values);
  return values;
}

std::vector<double> trailing(const SchedulerConfig& config, int n, double from) {
  std::vector<double> timesteps = arange(from, 0, -static_cast<double>(config.betas.train_timesteps) / n);
  for (double& t : timesteps) t = round_half_even(t) - 1;
  return timesteps;
}

// Multiples of the whole-numbered stride, the highest first.
std::vector<double> leading(const SchedulerConfig& config, int count, int stride) {
  std::vector<double> timesteps;
  for (int i = count - 1; i >= 0; --i)
    timesteps.push_back(static_cast<double>(i) * stride + config.steps_offset);
  return timesteps;
}

std::vector<double> rounded(std::vector<double> values) {
  for (double& v : values) v = round_half_even(v);
  return values;
}

}  // namespace

std::vector<double> whole_timesteps(const SchedulerConfig& config, int n) {
  const int train = config.betas.train_timesteps;
  switch (config.spacing) {
    case Spacing::linspace: return reversed(rounded(linspace(0, train - 1, n)));
    case Spacing::leading: return leading(config, n, train / n);
    case Spacing::trailing: break;
  }
  return trailing(config, n, train);
}

std::vector<double> fractional_timesteps(const SchedulerConfig& config, int n) {
  const int train = config.betas.train_timesteps;
  if (config.spacing != Spacing::linspace) return whole_timesteps(config, n);
  std::vector<double> timesteps = reversed(linspace(0, train - 1, n));
  if (config.scheduler != SchedulerClass::dpm_sde) {
    for (double& t : timesteps) t = static_cast<float>(t);
  }
  return timesteps;
}

std::vector<double> solver_timesteps(const SchedulerConfig& config, int n, int last) {
  std::vector<double> timesteps;
  switch (config.spacing) {
    case Spacing::linspace: timesteps = reversed(rounded(linspace(0, last - 1, n + 1))); break;
    case Spacing::leading: timesteps = leading(config, n + 1, last / (n + 1)); break;
    case Spacing::trailing: return trailing(config, n, last);
  }
  timesteps.pop_back();
  return timesteps;
}

double timestep_of_sigma(double sigma, std::span<const float> log_sigmas) {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  size_t low = 0;
  while (low + 2 < log_sigmas.size() && log_sigma >= log_sigmas[low + 1]) ++low;
  const float gap = log_sigmas[low] - log_sigmas[low + 1];
  const double weight = std::clamp((log_sigmas[low] - log_sigma) / gap, 0.0, 1.0);
  return (1 - weight) * static_cast<double>(low) + weight * static_cast<double>(low + 1);
}

std::vector<double> sigmas_by_rule(const SchedulerConfig& config, SigmaRange range, int n) {
  // LMS and DPMSolverSDE have no bounds of their own under the Karras rule.
  const bool bounded =
      config.sigma_rule != SigmaRule::karras ||
      (config.scheduler != SchedulerClass::lms && config.scheduler != SchedulerClass::dpm_sde);
  const double high = bounded ? config.sigma_max.value_or(range.sigma_max) : range.sigma_max;
  const double low = bounded ? config.sigma_min.value_or(range.sigma_min) : range.sigma_min;
  std::vector<double> sigmas;
  switch (config.sigma_rule) {
    case SigmaRule::interpolated: break;
    case SigmaRule::karras: {
      constexpr double kRho = 7;
      const double low_root = std::pow(low, 1 / kRho);
      const double high_root = std::pow(high, 1 / kRho);
      for (const double x : linspace(0, 1, n))
        sigmas.push_back(std::pow(high_root + x * (low_root - high_root), kRho));
      break;
    }
    case SigmaRule::exponential:
      for (const double s : linspace(std::log(high), std::log(low), n)) sigmas.push_back(std::exp(s));
      break;
    case SigmaRule::beta:
      for (const double x : linspace(0, 1, n))
        sigmas.push_back(low + beta_quantile(1 - x, 0.6, 0.6) * (high - low));
      break;
    case SigmaRule::lu: {
      // Uniform in lambda = -log sigma; the bounds are those of the trained levels, in f32.
      const double first = static_cast<float>(std::log(static_cast<float>(range.sigma_max)));
      const double last = static_cast<float>(std::log(static_cast<float>(range.sigma_min)));
      for (const double x : linspace(0, 1, n)) sigmas.push_back(std::exp(first + x * (last - first)));
      break;
    }
  }
  return sigmas;
}

Ladder euler_ladder(const SchedulerConfig& config, const TrainedLevels& levels, const SchedulerSteps& steps) {
  Ladder ladder{
      .timesteps = steps.timesteps.empty() ? fractional_timesteps(config, steps.steps) : steps.timesteps,
      .sigmas = {}};
  const auto n = static_cast<int>(ladder.timesteps.size());
  if (config.log_linear_sigmas) {
    for (const float s :
         linspace_f32(std::log(levels.sigmas.back()), std::log(levels.sigmas.front()), n + 1)) {
      ladder.sigmas.push_back(std::exp(s));
    }
  } else {
    const std::vector<double> table(levels.sigmas.begin(), levels.sigmas.end());
    for (const double t : ladder.timesteps) ladder.sigmas.push_back(interpolate(t, table));
  }
  if (config.sigma_rule == SigmaRule::interpolated) return ladder;

  ladder.sigmas = sigmas_by_rule(config, {ladder.sigmas.front(), ladder.sigmas.back()}, steps.steps);
  ladder.timesteps.clear();
  for (const double sigma : ladder.sigmas)
    ladder.timesteps.push_back(timestep_of_sigma(sigma, levels.log_sigmas));
  return ladder;
}

Ladder solver_ladder(const SchedulerConfig& config, const TrainedLevels& levels,
                     std::vector<double> timesteps) {
  Ladder ladder{.timesteps = std::move(timesteps), .sigmas = {}};
  if (config.sigma_rule == SigmaRule::interpolated) {
    const std::vector<double> table(levels.sigmas.begin(), levels.sigmas.end());
    for (const double t : ladder.timesteps) ladder.sigmas.push_back(interpolate(t, table));
    return ladder;
  }
  ladder.sigmas = sigmas_by_rule(config, {levels.sigmas.back(), levels.sigmas.front()},
                                 static_cast<int>(ladder.timesteps.size()));

  // The network sees whole timesteps: rounded to the nearest for some rules, cut off for the others.
  const bool cosine =
      config.betas.schedule == "squaredcos_cap_v2" && config.scheduler == SchedulerClass::dpm_multistep;
  const bool rounds =
      (config.sigma_rule == SigmaRule::karras || config.sigma_rule == SigmaRule::lu) && !cosine;
  ladder.timesteps.clear();
  for (const double sigma : ladder.sigmas) {
    const double t = timestep_of_sigma(sigma, levels.log_sigmas);
    ladder.timesteps.push_back(rounds ? round_half_even(t) : std::trunc(t));
  }
  return ladder;
}

}  // namespace maquette::sampling
