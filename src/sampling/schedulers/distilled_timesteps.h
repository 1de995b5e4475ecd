// The timesteps of networks distilled for few steps (LCM, TCD).
#pragma once

#include <vector>

#include "sampling/schedulers/scheduler_config.h"

namespace maquette::sampling {

std::vector<double> distilled_timesteps(const SchedulerConfig& config, int steps);

}  // namespace maquette::sampling
