// The table of samplers, and the reading of their names as people write them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sampling/sampler.h"
#include "sampling/schedulers/scheduler_config.h"

namespace maquette::sampling {

// What is particular about a sampler; combined in SamplerEntry::traits.
enum SamplerTrait : unsigned {
  kPlain = 0,
  kStochastic = 1,       // adds noise in the steps by default
  kBrownian = 2,         // that noise is Brownian in sigma
  kAlwaysK = 4,          // k-diffusion's form in every dialect: diffusers has none of its own
  kA1111Discards = 8,    // A1111 computes one level more and drops the last but one
  kComfyDiscards = 16,   // and so does ComfyUI
  kA1111Timesteps = 32,  // A1111 runs it on a list of timesteps instead of a schedule
};

struct SamplerEntry {
  std::string_view name;
  SampleFunction sample;     // k-diffusion's form
  SchedulerClass scheduler;  // the class of the diffusers dialect
  int order;                 // of convergence of `sample` without noise, as the tests measure it
  Schedule a1111_schedule;   // what "Automatic" means there
  unsigned traits;
  std::string_view description;
  std::vector<std::string_view> aliases;

  bool has(SamplerTrait trait) const { return (traits & trait) != 0; }
};

std::span<const SamplerEntry> samplers();

// What a name says beyond the sampler.
struct SamplerChoice {
  const SamplerEntry* entry = nullptr;
  std::optional<SchedulerClass> scheduler;  // where a diffusers class was named
  std::optional<Schedule> schedule;         // "DPM++ 2M Karras"
  bool heun = false;                        // "DPM++ 2M SDE Heun"
  std::optional<bool> bh1;                  // "uni_pc", "uni_pc_bh2"
};

// Understands our names, A1111's (with a schedule at the end, as old versions had them), ComfyUI's and
// diffusers' classes. Throws Error(usage) naming the nearest sampler.
SamplerChoice parse_sampler(std::string_view text);

}  // namespace maquette::sampling
