// Which timesteps and noise levels a diffusers scheduler visits.
#pragma once

#include <span>
#include <vector>

#include "sampling/schedulers/scheduler.h"

namespace maquette::sampling {

// The trained levels of a configuration.
struct TrainedLevels {
  std::vector<float> alphas_cumprod;
  std::vector<float> sigmas;  // sqrt((1 - a) / a)
  std::vector<float> log_sigmas;
};
// `last_alpha` replaces the last alpha_bar where the schedule has zero terminal SNR.
TrainedLevels trained_levels(const SchedulerConfig& config, std::optional<float> last_alpha = {});

// Refuses a number of steps outside 1 .. most.
void check_steps(int steps, int most, const SchedulerConfig& config);
// Refuses custom timesteps or sigmas where the class takes none.
void refuse_custom(const SchedulerConfig& config, const SchedulerSteps& steps, bool takes_timesteps);

// DDIM and DDPM: whole timesteps, the highest first.
std::vector<double> whole_timesteps(const SchedulerConfig& config, int n);
// The Euler family: linspace keeps fractions, rounded to f32.
std::vector<double> fractional_timesteps(const SchedulerConfig& config, int n);
// The solvers: whole timesteps out of n + 1 of which the last is left out. `last` is the number of timesteps
// in use.
std::vector<double> solver_timesteps(const SchedulerConfig& config, int n, int last);

// The timestep of a level, by linear interpolation of log sigma.
double timestep_of_sigma(double sigma, std::span<const float> log_sigmas);

// n levels from sigma_max to sigma_min by a rule; the configuration's own bounds come first.
struct SigmaRange {
  double sigma_max;
  double sigma_min;
};
std::vector<double> sigmas_by_rule(const SchedulerConfig& config, SigmaRange range, int n);

// The timesteps of the Euler family and their levels, after the rule; levels are in f64, without the last.
struct Ladder {
  std::vector<double> timesteps;
  std::vector<double> sigmas;
};
Ladder euler_ladder(const SchedulerConfig& config, const TrainedLevels& levels, const SchedulerSteps& steps);
// The same for the solvers, whose rules span all trained levels.
Ladder solver_ladder(const SchedulerConfig& config, const TrainedLevels& levels,
                     std::vector<double> timesteps);

}  // namespace maquette::sampling
