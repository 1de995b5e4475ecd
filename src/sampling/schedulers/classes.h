// The classes of schedulers, one per file.
#pragma once

#include "sampling/schedulers/scheduler.h"

namespace maquette::sampling {

std::unique_ptr<Scheduler> make_ddim(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_ddpm(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_pndm(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_lms(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_euler(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_euler_ancestral(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_heun(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_kdpm2(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_kdpm2_ancestral(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_dpm_multistep(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_dpm_singlestep(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_dpm_sde(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_unipc(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_deis(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_lcm(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_tcd(const SchedulerConfig&, const SchedulerSteps&);
std::unique_ptr<Scheduler> make_ipndm(const SchedulerConfig&, const SchedulerSteps&);

}  // namespace maquette::sampling
