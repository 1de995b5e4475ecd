// The two kinds of plan: over noise levels as k-diffusion samples, and over the entries of a diffusers
// scheduler.
#pragma once

#include <memory>

#include "sampling/samplers.h"
#include "sampling/sampling.h"

namespace maquette::sampling {

// What the request names, read.
struct PlanChoice {
  SamplerChoice sampler;
  ScheduleChoice schedule;
};

std::unique_ptr<SamplingPlan> plan_k(const SamplingRequest& request, const PlanChoice& choice);
std::unique_ptr<SamplingPlan> plan_scheduler(const SamplingRequest& request, const PlanChoice& choice);

// The configuration of a class for this request.
SchedulerConfig scheduler_config_for(const SamplingRequest& request, const PlanChoice& choice,
                                     SchedulerClass scheduler);

// int(steps * strength) steps of `steps`, as diffusers counts; throws Error(usage) where none is left.
int steps_of_strength(int steps, double strength);

// Throws Error(failed) saying what is not finite, in which step.
void check_finite(const Tensor& x, std::string_view what, const LatentState& state);
void check_shape(const Tensor& output, const Tensor& input);

}  // namespace maquette::sampling
