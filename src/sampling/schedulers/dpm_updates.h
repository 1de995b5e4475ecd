// One step of DPM-Solver in its four variants, from divided differences of the model's answers; shared by the
// multistep and the single-step scheduler.
#pragma once

#include "sampling/schedulers/lambda_scheduler.h"

namespace maquette::sampling {

// The variant of a step. "++" integrates the predicted picture, the others the predicted noise; "sde" adds
// noise.
struct DpmStep {
  DpmAlgorithm algorithm;
  LambdaPoint from;  // where `sample` is
  LambdaPoint to;
  const Tensor& sample;
  const Tensor* noise;  // for the sde variants
};

// How many SDE coefficients of the noise-predicting variant exist: it has no third order.
Tensor dpm_first_order(const DpmStep& step, const Tensor& d0);
// `heun` takes the exact weight of d1, otherwise that of the midpoint rule.
Tensor dpm_second_order(const DpmStep& step, const Tensor& d0, const Tensor& d1, bool heun);
Tensor dpm_third_order(const DpmStep& step, const Tensor& d0, const Tensor& d1, const Tensor& d2);

inline bool predicts_noise(DpmAlgorithm a) {
  return a == DpmAlgorithm::dpmsolver || a == DpmAlgorithm::sde_dpmsolver;
}
inline bool is_sde(DpmAlgorithm a) {
  return a == DpmAlgorithm::sde_dpmsolver || a == DpmAlgorithm::sde_dpmsolver_pp;
}

}  // namespace maquette::sampling
