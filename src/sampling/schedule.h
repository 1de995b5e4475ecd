// Noise schedules: how much noise a network was trained with at every timestep, and which of those levels a
// sampler visits.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "sampling/noise.h"

namespace maquette::sampling {

// The noise that training added, as published configurations describe it.
struct BetaSettings {
  int train_timesteps = 1000;
  double beta_start = 0.00085;
  double beta_end = 0.012;
  // "scaled_linear" (Stable Diffusion), "linear", "squaredcos_cap_v2", and "sigmoid", "laplace", "exp"
  std::string schedule = "scaled_linear";
  std::vector<float> trained;  // the betas themselves, where a configuration lists them
};

// alphas_cumprod as diffusers computes it: betas in f32, the running product in f64 rounded to f32 at each
// element. Zero terminal SNR as in Lin et al. 2023 (arXiv:2305.08891, algorithm 1); `last`, where given, then
// replaces the last value, which would be 0 (infinite sigma).
std::vector<float> alphas_cumprod_f32(const BetaSettings& settings, bool zero_terminal_snr,
                                      std::optional<float> last = {});

// sqrt((1 - a) / a) in f32, element by element.
std::vector<float> sigmas_of(std::span<const float> alphas_cumprod);

// The discrete noise levels of a trained network and the mapping between timesteps and levels, by linear
// interpolation of log sigma, as k-diffusion defines it.
class NoiseLevels {
 public:
  explicit NoiseLevels(std::vector<float> sigmas);  // ascending

  // As A1111 and ComfyUI have them: betas and products in f64. Zero terminal SNR ends at the value that both
  // use for the last alpha (4.8973451890853435e-08, sigma 4518.8).
  static NoiseLevels ldm(const BetaSettings& settings, bool zero_terminal_snr);

  std::span<const float> sigmas() const { return sigmas_; }
  float sigma_min() const { return sigmas_.front(); }
  float sigma_max() const { return sigmas_.back(); }
  int count() const { return static_cast<int>(sigmas_.size()); }

  double timestep_of(float sigma) const;    // continuous, clamped to [0, count - 1]
  int nearest_timestep(float sigma) const;  // in log sigma
  float sigma_at(double timestep) const;

 private:
  std::vector<float> sigmas_;
  std::vector<float> log_sigmas_;
};

enum class Schedule {
  automatic,  // the sampler's own choice (A1111), or what the scheduler configuration says (diffusers)
  normal,
  karras,
  exponential,
  polyexponential,
  sgm_uniform,
  simple,
  ddim_uniform,
  beta,
  ays,
  kl_optimal,
  custom  // the levels themselves
};

struct ScheduleChoice {
  Schedule schedule = Schedule::automatic;
  std::vector<float> custom;  // descending, usually ending with 0
};

std::string_view name(Schedule schedule);
std::span<const std::string> schedule_names();
// Understands our names, A1111's, ComfyUI's and diffusers' ("SGM Uniform", "sgm_uniform", ...) and
// "sigmas:14.6,7,2,0". Empty text is automatic. Throws Error(usage) naming the nearest schedule.
ScheduleChoice parse_schedule(std::string_view text);

struct SigmaRequest {
  Schedule schedule = Schedule::normal;
  int steps = 20;
  Dialect dialect = Dialect::a1111;  // A1111 and ComfyUI differ in sgm_uniform, beta, ays, kl_optimal
  bool sdxl = false;                 // chooses the table of align-your-steps
};

// The levels of `steps` steps from the most noise to none: usually steps + 1 values ending with 0 (A1111's
// kl_optimal ends at sigma_min; ComfyUI's beta drops repeated levels; ddim_uniform may have one step more).
std::vector<float> make_sigmas(const SigmaRequest& request, const NoiseLevels& levels);

}  // namespace maquette::sampling
