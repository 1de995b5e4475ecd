// Samplers as diffusers defines them: objects that list the timesteps and turn one answer of the network at a
// time into the next latent. Numerically what the class of the same name there does.
#pragma once

#include <memory>
#include <vector>

#include "sampling/noise.h"
#include "sampling/schedulers/scheduler_config.h"
#include "tensor/tensor.h"

namespace maquette::sampling {

// How much picture and how much noise a latent holds: x = signal * picture + noise * standard normal.
struct NoiseLevel {
  float signal = 1;
  float noise = 0;
};

// One call of `step`. Entry i of `timesteps()` is one call of the network.
struct SchedulerStep {
  const Tensor& output;  // the network's, after guidance
  const Tensor& sample;  // the latent before the step
  int entry;
  NoiseSource& noise;
  float eta = 0;      // DDIM, TCD
  float s_churn = 0;  // EulerDiscrete
  float s_tmin = 0;
  float s_tmax = std::numeric_limits<float>::infinity();
  float s_noise = 1;  // EulerDiscrete, DPMSolverSDE
};

struct StepResult {
  Tensor sample;    // the latent after the step
  Tensor denoised;  // the picture as predicted in this step
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  const std::vector<double>& timesteps() const { return timesteps_; }
  // The entries of one step as counted by `strength` ("order" in diffusers): 2 where most steps call the
  // network twice.
  virtual int entries_per_step() const { return 1; }
  // The factor of the first noise.
  virtual float init_noise_sigma() const { return 1; }
  // Sampling starts at this entry: for img2img. Called once, before the first step.
  virtual void begin(int entry) { begin_ = entry; }
  // The network's input for the latent of an entry.
  virtual Tensor scale_model_input(const Tensor& x, int entry) const;
  // What the latent that enters an entry holds, and so the factors of add_noise; for timesteps().size() the
  // end.
  virtual NoiseLevel level(int entry) const = 0;
  // The same for the network's input, where a class evaluates between its levels.
  virtual NoiseLevel input_level(int entry) const { return level(entry); }
  virtual StepResult step(const SchedulerStep& step) = 0;

 protected:
  std::vector<double> timesteps_;
  int begin_ = 0;
};

struct SchedulerSteps {
  int steps = 20;
  std::vector<double> timesteps;  // custom; otherwise empty
  std::vector<float> sigmas;      // custom, with the last; otherwise empty
};

// Throws Error(usage) where the class does not take so many steps, or no custom timesteps or sigmas.
std::unique_ptr<Scheduler> make_scheduler(const SchedulerConfig& config, const SchedulerSteps& steps);

// The picture and the noise that an output stands for, given what its input holds.
Tensor picture_from_output(const Tensor& output, const Tensor& x, NoiseLevel level, Prediction prediction);
Tensor output_from_picture(const Tensor& picture, const Tensor& x, NoiseLevel level, Prediction prediction);

}  // namespace maquette::sampling
