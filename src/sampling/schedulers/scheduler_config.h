// The configuration of a diffusers scheduler: scheduler_config.json of a model folder, read as `from_config`
// reads it for a class.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "sampling/schedule.h"

namespace maquette::sampling {

// What the network's output is.
enum class Prediction {
  epsilon,       // the noise
  v_prediction,  // alpha * noise - sigma * picture
  sample         // the picture
};

std::string_view name(Prediction prediction);
Prediction parse_prediction(std::string_view text);  // throws Error(bad_file)

enum class SchedulerClass {
  ddim,
  ddpm,
  pndm,
  lms,
  euler,
  euler_ancestral,
  heun,
  kdpm2,
  kdpm2_ancestral,
  dpm_multistep,
  dpm_singlestep,
  dpm_sde,
  unipc,
  deis,
  lcm,
  tcd,
  ipndm
};

std::string_view name(SchedulerClass c);  // "EulerDiscreteScheduler"
// The class of that name, with or without "Scheduler"; nothing where it is none of ours.
std::optional<SchedulerClass> find_scheduler_class(std::string_view class_name);

enum class Spacing { linspace, leading, trailing };
// How the sigmas follow from the timesteps.
enum class SigmaRule { interpolated, karras, exponential, beta, lu };
enum class FinalSigma { zero, sigma_min };
enum class DpmAlgorithm { dpmsolver, dpmsolver_pp, sde_dpmsolver, sde_dpmsolver_pp };
enum class VarianceType { fixed_small, fixed_small_log, fixed_large };

// Every option of any class that changes numbers. The defaults depend on the class.
struct SchedulerConfig {
  SchedulerClass scheduler = SchedulerClass::ddim;
  BetaSettings betas;
  Prediction prediction = Prediction::epsilon;
  Spacing spacing = Spacing::leading;
  int steps_offset = 0;
  bool zero_terminal_snr = false;
  bool set_alpha_to_one = true;
  bool clip_sample = false;
  float clip_sample_range = 1;
  bool thresholding = false;
  float dynamic_thresholding_ratio = 0.995f;
  float sample_max_value = 1;
  SigmaRule sigma_rule = SigmaRule::interpolated;
  bool log_linear_sigmas = false;  // interpolation_type "log_linear"
  bool continuous_timesteps = false;
  FinalSigma final_sigma = FinalSigma::zero;
  std::optional<double> sigma_min;
  std::optional<double> sigma_max;
  int solver_order = 2;
  DpmAlgorithm algorithm = DpmAlgorithm::dpmsolver_pp;
  bool heun = false;  // solver_type of the DPM solvers: heun instead of midpoint
  bool bh1 = false;   // solver_type of UniPC: bh1 instead of bh2
  bool lower_order_final = true;
  bool euler_at_final = false;
  double lambda_min_clipped = -std::numeric_limits<double>::infinity();
  bool predict_x0 = true;
  std::vector<int> disable_corrector;
  bool skip_prk_steps = false;
  int original_inference_steps = 50;
  double timestep_scaling = 10;
  VarianceType variance_type = VarianceType::fixed_small;
  std::optional<uint64_t> noise_sampler_seed;
};

// What diffusers' pipelines correct in an old configuration on loading. SD's for text and for init pictures:
// steps_offset 1 and no clip_sample; SD's for masks: steps_offset 1 and skip_prk_steps; SDXL's and those of
// ControlNets, T2I-Adapters, edits and LCM: nothing. The corrections reach another class only where the file
// itself states the value, as with from_config.
enum class PipelineCorrections { none, text_or_picture, mask };

// The schedule asked for, as the class's own options; throws Error(usage) where the class has none such.
struct SchedulerRequest {
  SchedulerClass scheduler;
  Json config;  // the folder's scheduler_config.json; an empty object for the class's defaults
  PipelineCorrections corrections = PipelineCorrections::none;
  ScheduleChoice schedule;  // automatic: as configured
  std::optional<Prediction> prediction;
  std::optional<bool> zero_terminal_snr;
};

// Unknown keys are ignored, missing keys take the class's defaults. Throws Error(bad_file) for values that
// the class does not know.
SchedulerConfig read_scheduler_config(const SchedulerRequest& request);

// The configuration that diffusers uses for a single-file checkpoint of the family: "sd1", "sd2"
// (v-prediction), "sd2-base", "sdxl", "sdxl-refiner", "sdxl-turbo".
Json default_scheduler_config(std::string_view family);

}  // namespace maquette::sampling
