// DPM-Solver (Lu et al. 2022, arXiv:2206.00927, equations 3.6 and 3.7; appendix B) and DPM-Solver++ (Lu et
// al. 2022, arXiv:2211.01095, equation 12 and appendix), with the SDE forms of the latter's section 5. With h
// the step in lambda,
//   dpmsolver++      x = (s_t / s_s) x - a_t (e^-h - 1) D0 + a_t ((e^-h - 1) / h + 1) D1 - a_t ((e^-h - 1 +
//   h) / h^2 - 1/2) D2 dpmsolver        x = (a_t / a_s) x - s_t (e^h - 1) D0 - s_t ((e^h - 1) / h - 1) D1 -
//   s_t ((e^h - 1 - h) / h^2 - 1/2) D2 sde-dpmsolver++  as dpmsolver++ with 2h in the weights, e^-h on x, and
//   noise s_t sqrt(1 - e^-2h) sde-dpmsolver    as dpmsolver with twice the weights, and noise s_t sqrt(e^2h -
//   1)
// the midpoint form of the second order replaces the weight of D1 by half that of D0.
#include "sampling/schedulers/dpm_updates.h"

#include "sampling/rounded_math.h"

namespace maquette::sampling {

namespace {

struct Weights {
  float keep;  // of the sample
  float d0;
  float d1_middle;  // second order, midpoint form
  float d1_heun;    // second order, Heun form
  float d1;         // third order
  float d2;
  float noise;
};

Weights picture_weights(const LambdaPoint& from, const LambdaPoint& to, float h) {
  const float e = exp_f32(-h) - 1.0f;
  const float d1 = to.alpha * (e / h + 1.0f);
  return {.keep = to.sigma / from.sigma,
          .d0 = -(to.alpha * e),
          .d1_middle = -(0.5f * (to.alpha * e)),
          .d1_heun = d1,
          .d1 = d1,
          .d2 = -(to.alpha * ((exp_f32(-h) - 1.0f + h) / (h * h) - 0.5f)),
          .noise = 0};
}

Weights noise_weights(const LambdaPoint& from, const LambdaPoint& to, float h) {
  const float e = exp_f32(h) - 1.0f;
  const float d1 = -(to.sigma * (e / h - 1.0f));
  return {.keep = to.alpha / from.alpha,
          .d0 = -(to.sigma * e),
          .d1_middle = -(0.5f * (to.sigma * e)),
          .d1_heun = d1,
          .d1 = d1,
          .d2 = -(to.sigma * ((exp_f32(h) - 1.0f - h) / (h * h) - 0.5f)),
          .noise = 0};
}

Weights sde_picture_weights(const LambdaPoint& from, const LambdaPoint& to, float h) {
  const float e = 1.0f - exp_f32(-2.0f * h);
  const float d1 = to.alpha * (e / (-2.0f * h) + 1.0f);
  return {.keep = to.sigma / from.sigma * exp_f32(-h),
          .d0 = to.alpha * e,
          .d1_middle = 0.5f * (to.alpha * e),
          .d1_heun = d1,
          .d1 = d1,
          .d2 = to.alpha * ((e - 2.0f * h) / ((2.0f * h) * (2.0f * h)) - 0.5f),
          .noise = to.sigma * std::sqrt(e)};
}

Weights sde_noise_weights(const LambdaPoint& from, const LambdaPoint& to, float h) {
  const float e = exp_f32(h) - 1.0f;
  return {.keep = to.alpha / from.alpha,
          .d0 = -(2.0f * (to.sigma * e)),
          .d1_middle = -(to.sigma * e),
          .d1_heun = -(2.0f * (to.sigma * (e / h - 1.0f))),
          .d1 = 0,
          .d2 = 0,
          .noise = to.sigma * std::sqrt(exp_f32(2 * h) - 1.0f)};
}

Weights weights(const DpmStep& step) {
  const float h = step.to.lambda - step.from.lambda;
  switch (step.algorithm) {
    case DpmAlgorithm::dpmsolver_pp: return picture_weights(step.from, step.to, h);
    case DpmAlgorithm::dpmsolver: return noise_weights(step.from, step.to, h);
    case DpmAlgorithm::sde_dpmsolver_pp: return sde_picture_weights(step.from, step.to, h);
    case DpmAlgorithm::sde_dpmsolver: break;
  }
  return sde_noise_weights(step.from, step.to, h);
}

Tensor with_noise(const DpmStep& step, const Tensor& x, float factor) {
  return step.noise ? combine({{1.0f, x}, {factor, *step.noise}}) : x;
}

}  // namespace

Tensor dpm_first_order(const DpmStep& step, const Tensor& d0) {
  const Weights w = weights(step);
  return with_noise(step, combine({{w.keep, step.sample}, {w.d0, d0}}), w.noise);
}

Tensor dpm_second_order(const DpmStep& step, const Tensor& d0, const Tensor& d1, bool heun) {
  const Weights w = weights(step);
  const Tensor x = combine({{w.keep, step.sample}, {w.d0, d0}, {heun ? w.d1_heun : w.d1_middle, d1}});
  return with_noise(step, x, w.noise);
}

Tensor dpm_third_order(const DpmStep& step, const Tensor& d0, const Tensor& d1, const Tensor& d2) {
  if (step.algorithm == DpmAlgorithm::sde_dpmsolver) {
    throw Error(ErrorCode::usage, "there is no third order of sde-dpmsolver")
        .hint("use sde-dpmsolver++, or solver_order 2");
  }
  const Weights w = weights(step);
  const Tensor x = combine({{w.keep, step.sample}, {w.d0, d0}, {w.d1, d1}, {w.d2, d2}});
  return with_noise(step, x, w.noise);
}

}  // namespace maquette::sampling
