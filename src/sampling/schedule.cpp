// Sources of the schedules:
//   karras                Karras et al. 2022, arXiv:2206.00364, equation 5, rho = 7
//   exponential           linear in log sigma
//   normal, sgm_uniform   linear in the timestep, with and without the last one
//   simple, ddim_uniform  every k-th of the trained levels, from the top and from the bottom
//   beta                  Lee et al. 2024, arXiv:2407.12173, alpha = beta = 0.6
//   ays                   Sabour et al. 2024, arXiv:2404.14507, log-linear between the published levels
//   kl_optimal            the same paper, section 3.1: arctan sigma linear
// A1111 and ComfyUI name the same schedules and differ in places: beta spreads quantiles over the range of
// sigmas in the one and over timesteps in the other, and A1111's "Automatic" chooses by the sampler (its
// modules/sd_samplers_kdiffusion.py and sd_schedulers.py, ComfyUI's comfy/samplers.py). docs/dialects.md has
// the whole list.
#include "sampling/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "sampling/numeric.h"

namespace maquette::sampling {

NoiseLevels::NoiseLevels(std::vector<float> sigmas) : sigmas_(std::move(sigmas)) {
  if (sigmas_.size() < 2)
    throw Error(ErrorCode::failed, "cannot make a noise schedule of {} levels", sigmas_.size());
  log_sigmas_.resize(sigmas_.size());
  std::ranges::transform(sigmas_, log_sigmas_.begin(), [](float s) { return std::log(s); });
}

double NoiseLevels::timestep_of(float sigma) const {
  const float log_sigma = std::log(sigma);
  const auto above = std::ranges::upper_bound(log_sigmas_, log_sigma);
  const auto passed = std::max<std::ptrdiff_t>(above - log_sigmas_.begin() - 1, 0);
  const size_t low = std::min(static_cast<size_t>(passed), log_sigmas_.size() - 2);
  const float weight =
      std::clamp((log_sigmas_[low] - log_sigma) / (log_sigmas_[low] - log_sigmas_[low + 1]), 0.0f, 1.0f);
  return (1 - weight) * static_cast<float>(low) + weight * static_cast<float>(low + 1);
}

int NoiseLevels::nearest_timestep(float sigma) const {
  const float log_sigma = std::log(sigma);
  const auto nearest = std::ranges::min_element(
      log_sigmas_, {}, [log_sigma](float candidate) { return std::abs(log_sigma - candidate); });
  return static_cast<int>(nearest - log_sigmas_.begin());
}

float NoiseLevels::sigma_at(double timestep) const {
  const auto t = static_cast<float>(std::clamp(timestep, 0.0, static_cast<double>(sigmas_.size() - 1)));
  const auto low = static_cast<size_t>(std::floor(t));
  const auto high = static_cast<size_t>(std::ceil(t));
  const float weight = t - std::floor(t);
  return std::exp((1 - weight) * log_sigmas_[low] + weight * log_sigmas_[high]);
}

namespace {

struct ScheduleName {
  Schedule schedule;
  std::string_view name;
  std::vector<std::string_view> aliases;  // lower case, without spaces, hyphens and underscores
};

const std::vector<ScheduleName>& schedule_table() {
  static const std::vector<ScheduleName> table = {
      {Schedule::automatic, "automatic", {"auto", "default"}},
      {Schedule::normal, "normal", {"uniform", "discrete", "linspace"}},
      {Schedule::karras, "karras", {"usekarrassigmas"}},
      {Schedule::exponential, "exponential", {"useexponentialsigmas"}},
      {Schedule::polyexponential, "polyexponential", {}},
      {Schedule::sgm_uniform, "sgm-uniform", {"trailing"}},
      {Schedule::simple, "simple", {}},
      {Schedule::ddim_uniform, "ddim-uniform", {"ddim", "leading"}},
      {Schedule::beta, "beta", {"usebetasigmas"}},
      {Schedule::ays, "ays", {"alignyoursteps"}},
      {Schedule::kl_optimal, "kl-optimal", {"kloptimal"}},
      {Schedule::custom, "sigmas:", {}},
  };
  return table;
}

std::string squeezed(std::string_view text) {
  std::string out = lower_ascii(text);
  std::erase_if(out, [](char c) { return c == ' ' || c == '-' || c == '_'; });
  return out;
}

ScheduleChoice parse_custom(std::string_view list) {
  ScheduleChoice choice{.schedule = Schedule::custom, .custom = {}};
  for (const std::string& part : split(list, ',')) {
    const auto value = parse_double(trim(part));
    if (!value || *value < 0 || *value > 1e6) {
      throw Error(ErrorCode::usage, "cannot read the noise levels \"{}\"", list)
          .with("found", part)
          .with("expected", "a number from 0 to 1e6");
    }
    choice.custom.push_back(static_cast<float>(*value));
  }
  for (size_t i = 1; i < choice.custom.size(); ++i) {
    if (choice.custom[i] >= choice.custom[i - 1]) {
      throw Error(ErrorCode::usage, "cannot sample over noise levels that do not fall")
          .with("found", fmt::format("{} then {}", choice.custom[i - 1], choice.custom[i]));
    }
  }
  if (choice.custom.size() < 2)
    throw Error(ErrorCode::usage, "cannot sample over fewer than two noise levels");
  return choice;
}

}  // namespace

std::string_view name(Schedule schedule) {
  for (const ScheduleName& entry : schedule_table()) {
    if (entry.schedule == schedule) return entry.name;
  }
  return "automatic";
}

std::span<const std::string> schedule_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const ScheduleName& entry : schedule_table()) all.emplace_back(entry.name);
    return all;
  }();
  return names;
}

ScheduleChoice parse_schedule(std::string_view text) {
  text = trim(text);
  if (text.empty()) return {};
  if (text.starts_with("sigmas:")) return parse_custom(text.substr(7));
  const std::string wanted = squeezed(text);
  for (const ScheduleName& entry : schedule_table()) {
    if (entry.schedule == Schedule::custom) continue;
    if (wanted == squeezed(entry.name) || std::ranges::count(entry.aliases, std::string_view(wanted)) > 0) {
      return {.schedule = entry.schedule, .custom = {}};
    }
  }
  Error error(ErrorCode::usage, "there is no schedule \"{}\"", text);
  if (const auto meant = did_you_mean(lower_ascii(text), schedule_names()))
    error.hint("did you mean \"{}\"?", *meant);
  throw error;
}

namespace {

using Sigmas = std::vector<float>;

Sigmas karras(int n, double sigma_min, double sigma_max) {
  constexpr double kRho = 7;
  const auto high = static_cast<float>(std::pow(sigma_max, 1 / kRho));
  const auto span = static_cast<float>(std::pow(sigma_min, 1 / kRho) - std::pow(sigma_max, 1 / kRho));
  Sigmas sigmas;
  for (const float ramp : linspace_f32(0, 1, n)) sigmas.push_back(std::pow(high + ramp * span, 7.0f));
  sigmas.push_back(0);
  return sigmas;
}

Sigmas exponential(int n, double sigma_min, double sigma_max) {
  Sigmas sigmas;
  for (const float s :
       linspace_f32(static_cast<float>(std::log(sigma_max)), static_cast<float>(std::log(sigma_min)), n)) {
    sigmas.push_back(std::exp(s));
  }
  sigmas.push_back(0);
  return sigmas;
}

// Linear in the timestep; `without_last` leaves the lowest level out. ComfyUI maps levels to whole timesteps.
Sigmas uniform(int n, const NoiseLevels& levels, bool without_last) {
  const auto top = static_cast<float>(levels.count() - 1);
  Sigmas sigmas;
  auto timesteps = linspace_f32(top, 0, without_last ? n + 1 : n);
  if (without_last) timesteps.pop_back();
  for (const float t : timesteps) sigmas.push_back(levels.sigma_at(t));
  sigmas.push_back(0);
  return sigmas;
}

Sigmas simple(int n, const NoiseLevels& levels) {
  const double stride = static_cast<double>(levels.count()) / n;
  Sigmas sigmas;
  for (int i = 0; i < n; ++i) {
    sigmas.push_back(levels.sigmas()[static_cast<size_t>(levels.count() - 1 - static_cast<int>(i * stride))]);
  }
  sigmas.push_back(0);
  return sigmas;
}

Sigmas ddim_uniform(int n, const NoiseLevels& levels) {
  const int stride = std::max(levels.count() / n, 1);
  Sigmas sigmas = {0};
  for (int i = 1; i < levels.count(); i += stride) sigmas.push_back(levels.sigmas()[static_cast<size_t>(i)]);
  std::ranges::reverse(sigmas);
  return sigmas;
}

constexpr double kBetaShape = 0.6;

// A1111 spreads the quantiles over the range of sigma; ComfyUI over the timesteps, dropping repeated ones.
Sigmas beta_a1111(int n, double sigma_min, double sigma_max) {
  Sigmas sigmas;
  for (const double x : linspace(0, 1, n)) {
    sigmas.push_back(static_cast<float>(sigma_min + beta_quantile(1 - x, kBetaShape, kBetaShape) *
                                                        (sigma_max - sigma_min)));
  }
  sigmas.push_back(0);
  return sigmas;
}

Sigmas beta_comfy(int n, const NoiseLevels& levels) {
  Sigmas sigmas;
  int last = -1;
  for (int i = 0; i < n; ++i) {
    const double quantile = beta_quantile(1 - i * (1.0 / n), kBetaShape, kBetaShape);
    const int t = static_cast<int>(round_half_even(quantile * (levels.count() - 1)));
    if (t != last) sigmas.push_back(levels.sigmas()[static_cast<size_t>(t)]);
    last = t;
  }
  sigmas.push_back(0);
  return sigmas;
}

// The eleven published levels; A1111 uses them rounded to three decimals.
std::vector<double> ays_levels(const SigmaRequest& request) {
  if (request.dialect == Dialect::comfy) {
    if (request.sdxl) {
      return {14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141,
              0.5550693289,  0.3798540708, 0.2332364134, 0.1114188177, 0.0291671582};
    }
    return {14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520, 1.8841921177, 1.3943805092,
            0.9642583904,  0.6523686016, 0.3977456272, 0.1515232662, 0.0291671582};
  }
  if (request.sdxl) return {14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029};
  return {14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029};
}

// A1111 resamples to n levels and appends 0; ComfyUI resamples to n + 1 and puts 0 in the place of the last.
Sigmas align_your_steps(const SigmaRequest& request) {
  const std::vector<double> levels = ays_levels(request);
  const bool comfy = request.dialect == Dialect::comfy;
  const int count = comfy ? request.steps + 1 : request.steps;
  std::vector<double> logs(levels.size());
  std::transform(levels.rbegin(), levels.rend(), logs.begin(), [](double s) { return std::log(s); });

  Sigmas sigmas;
  if (count == static_cast<int>(levels.size())) {
    sigmas.assign(levels.begin(), levels.end());
  } else {
    for (const double x : linspace(0, 1, count)) {
      sigmas.push_back(
          static_cast<float>(std::exp(interpolate(x * static_cast<double>(logs.size() - 1), logs))));
    }
    std::ranges::reverse(sigmas);
  }
  if (comfy) {
    sigmas.back() = 0;
  } else {
    sigmas.push_back(0);
  }
  return sigmas;
}

// A1111 has n + 1 levels down to sigma_min and no 0; ComfyUI n levels and 0.
Sigmas kl_optimal(int n, float sigma_min, float sigma_max, bool comfy) {
  const float low = std::atan(sigma_min);
  const float high = std::atan(sigma_max);
  Sigmas sigmas;
  const int last = comfy ? n - 1 : n;
  for (int i = 0; i <= last; ++i) {
    const float x = last == 0 ? 0.0f : static_cast<float>(i) / static_cast<float>(last);
    sigmas.push_back(std::tan(x * low + (1.0f - x) * high));
  }
  if (comfy) sigmas.push_back(0);
  return sigmas;
}

}  // namespace

std::vector<float> make_sigmas(const SigmaRequest& request, const NoiseLevels& levels) {
  const int n = request.steps;
  if (n < 1 || n > 100000) throw Error(ErrorCode::usage, "cannot sample in {} steps", n);
  const bool comfy = request.dialect == Dialect::comfy;
  const double sigma_min = levels.sigma_min();
  const double sigma_max = levels.sigma_max();
  switch (request.schedule) {
    case Schedule::automatic:
    case Schedule::normal: return uniform(n, levels, false);
    case Schedule::karras: return karras(n, sigma_min, sigma_max);
    case Schedule::exponential:
    case Schedule::polyexponential: return exponential(n, sigma_min, sigma_max);
    case Schedule::sgm_uniform: return uniform(n, levels, true);
    case Schedule::simple: return simple(n, levels);
    case Schedule::ddim_uniform: return ddim_uniform(n, levels);
    case Schedule::beta: return comfy ? beta_comfy(n, levels) : beta_a1111(n, sigma_min, sigma_max);
    case Schedule::ays: return align_your_steps(request);
    case Schedule::kl_optimal: return kl_optimal(n, levels.sigma_min(), levels.sigma_max(), comfy);
    case Schedule::custom: break;
  }
  throw Error(ErrorCode::failed, "cannot compute custom noise levels");
}

}  // namespace maquette::sampling
