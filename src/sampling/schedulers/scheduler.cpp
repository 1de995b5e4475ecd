// Making a scheduler, and the conversion between what networks predict. With x = signal * picture + noise *
// eps:
//   eps    predicts eps                          picture = (x - noise * eps) / signal
//   v      predicts signal * eps - noise * picture, for signal^2 + noise^2 = 1; a latent that is not so
//   scaled
//          (x = picture + sigma * eps) is scaled for the network, and v means the scaled one's
//   sample predicts the picture
#include "sampling/schedulers/scheduler.h"

#include <cmath>

#include "sampling/latent_math.h"
#include "sampling/schedulers/classes.h"

namespace maquette::sampling {

Tensor Scheduler::scale_model_input(const Tensor& x, int) const { return x; }

Tensor picture_from_output(const Tensor& output, const Tensor& x, NoiseLevel level, Prediction prediction) {
  const float power = level.signal * level.signal + level.noise * level.noise;
  switch (prediction) {
    case Prediction::epsilon: return divided(combine({{1.0f, x}, {-level.noise, output}}), level.signal);
    case Prediction::v_prediction:
      return combine({{level.signal / power, x}, {-level.noise / std::sqrt(power), output}});
    case Prediction::sample: break;
  }
  return output;
}

Tensor output_from_picture(const Tensor& picture, const Tensor& x, NoiseLevel level, Prediction prediction) {
  const float power = level.signal * level.signal + level.noise * level.noise;
  switch (prediction) {
    case Prediction::epsilon: return divided(combine({{1.0f, x}, {-level.signal, picture}}), level.noise);
    case Prediction::v_prediction: {
      const float scale = std::sqrt(power) / level.noise;
      return combine({{level.signal / power * scale, x}, {-scale, picture}});
    }
    case Prediction::sample: break;
  }
  return picture;
}

std::unique_ptr<Scheduler> make_scheduler(const SchedulerConfig& config, const SchedulerSteps& steps) {
  switch (config.scheduler) {
    case SchedulerClass::ddim: return make_ddim(config, steps);
    case SchedulerClass::ddpm: return make_ddpm(config, steps);
    case SchedulerClass::pndm: return make_pndm(config, steps);
    case SchedulerClass::lms: return make_lms(config, steps);
    case SchedulerClass::euler: return make_euler(config, steps);
    case SchedulerClass::euler_ancestral: return make_euler_ancestral(config, steps);
    case SchedulerClass::heun: return make_heun(config, steps);
    case SchedulerClass::kdpm2: return make_kdpm2(config, steps);
    case SchedulerClass::kdpm2_ancestral: return make_kdpm2_ancestral(config, steps);
    case SchedulerClass::dpm_multistep: return make_dpm_multistep(config, steps);
    case SchedulerClass::dpm_singlestep: return make_dpm_singlestep(config, steps);
    case SchedulerClass::dpm_sde: return make_dpm_sde(config, steps);
    case SchedulerClass::unipc: return make_unipc(config, steps);
    case SchedulerClass::deis: return make_deis(config, steps);
    case SchedulerClass::lcm: return make_lcm(config, steps);
    case SchedulerClass::tcd: return make_tcd(config, steps);
    case SchedulerClass::ipndm: return make_ipndm(config, steps);
  }
  throw Error(ErrorCode::failed, "there is no such scheduler");
}

}  // namespace maquette::sampling
