// For each precision the model runs twice for a few steps: once to list its problems and to time a step with
// what is known, once to measure each problem where it is met first, which the first step does; the later
// ones tell what was gained. An engine for each precision, so that only one set of packed weights is in
// memory.
#include "app/tune.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>

#include "app/kernel_table.h"
#include "app/models_folder.h"
#include "diffusion/engine.h"
#include "kernels/cpu.h"
#include "kernels/tuner.h"

namespace maquette::app {

namespace {

constexpr int kSteps = 3;                // the first packs weights, the best of the others counts
constexpr double kClearlyFaster = 0.95;  // of the time of the precision that the processor suggests
constexpr double kSlower = 1.02;         // times a step before: more is no noise

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void stop() {
  throw Error(ErrorCode::cancelled, "stopped while measuring kernels").hint("what was measured is kept");
}

// Runs the recipe; answers the seconds of its fastest step but the first.
double time_of_step(diffusion::Engine& engine, const Recipe& recipe, const TuneRequest& request,
                    const std::string& phase) {
  double best = std::numeric_limits<double>::infinity();
  double last = 0;
  int done = 0;
  diffusion::Callbacks callbacks;
  callbacks.progress = [&](const ProgressReport& report) {
    if (report.phase == "sampling" && report.done > done) {
      if (done > 0) best = std::min(best, now() - last);
      last = now();
      done = report.done;
    }
    return !request.progress || request.progress({.phase = phase, .done = done, .total = kSteps});
  };
  engine.run(recipe, callbacks);
  return best;
}

// Each run has a prompt of its own: one that was read before would not be read again.
Recipe recipe_for(const TuneRequest& request, Precision precision, const char* prompt) {
  Recipe recipe = with_models_found(request.recipe);
  recipe.precision = precision;
  recipe.steps = kSteps;
  recipe.sampler = "euler";  // calls the network once per step
  recipe.prompt = prompt;
  if (!recipe.init.empty()) recipe.strength = 1;
  return recipe;
}

// Choices that are right one by one can be wrong together: they share caches and memory. Those of problems
// that `before` does not know become the list's again.
void take_back(const kernels::Tuner& tuner, const kernels::ChoiceTable& before) {
  for (const kernels::Tuner::Problem& problem : tuner.problems()) {
    const auto known = before.choices.find(problem.text);
    if (known != before.choices.end() && known->second.by_list == problem.by_list) continue;
    kernels::remember_choice(problem.text, {problem.by_list, problem.by_list, 1});
  }
}

TuneReport::Step tune_precision(const TuneRequest& request, Precision precision, kernels::Tuner& tuner) {
  diffusion::Engine engine;
  engine.set_tuner(&tuner);
  TuneReport::Step step{.precision = precision};
  step.before = time_of_step(engine, recipe_for(request, precision, "a lighthouse at dawn"), request,
                             fmt::format("looking at the network ({})", name(precision)));
  step.after = step.before;
  const size_t total = tuner.unknown();
  if (total == 0) return step;

  const kernels::ChoiceTable before = kernels::choice_table();
  const std::string phase = fmt::format("measuring kernels ({})", name(precision));
  const double begin = now();
  tuner.measuring = true;
  tuner.measured = [&] {
    ++step.measured;
    const size_t all = std::max(total, step.measured);
    const double left =
        (now() - begin) / static_cast<double>(step.measured) * static_cast<double>(all - step.measured);
    const ProgressReport report{.phase = phase,
                                .done = static_cast<int>(step.measured),
                                .total = static_cast<int>(all),
                                .seconds_left = left};
    if (request.progress && !request.progress(report)) stop();
  };
  step.after = time_of_step(engine, recipe_for(request, precision, "a lighthouse at dusk"), request, phase);
  if (step.after > kSlower * step.before) {
    take_back(tuner, before);
    step.taken_back = true;
    step.after = step.before;
  }
  return step;
}

// f32, and bf16 where the processor multiplies it: elsewhere it would only be imitated.
std::vector<Precision> precisions_of(Precision asked) {
  if (asked != Precision::automatic) return {asked};
  if (!kernels::cpu().avx512_bf16 && !kernels::cpu().amx_bf16) return {Precision::f32};
  return {Precision::bf16, Precision::f32};
}

DType type_of(Precision precision) { return precision == Precision::bf16 ? DType::bf16 : DType::f32; }

// The first of two precisions is what the processor suggests: the other must be clearly faster.
void decide_precision(const std::vector<TuneReport::Step>& steps) {
  if (steps.size() < 2 || kernels::choice_table().fastest_type) return;
  const bool other = steps[1].after < kClearlyFaster * steps[0].after;
  kernels::remember_fastest_type(type_of(steps[other ? 1 : 0].precision));
}

void list_problems(const kernels::Tuner& tuner, TuneReport& report) {
  for (const kernels::Tuner::Problem& problem : tuner.problems()) {
    const auto choice = kernels::find_choice(problem.text, problem.by_list);
    if (!choice) continue;
    report.problems.push_back({problem.text, choice->by_list, choice->fastest, choice->ratio});
  }
}

}  // namespace

TuneReport tune(const TuneRequest& request) {
  if (std::getenv("MAQUETTE_KERNELS")) {
    throw Error(ErrorCode::usage, "cannot measure all kernels while MAQUETTE_KERNELS leaves some out");
  }
  if (request.threads > 0) kernels::set_thread_count(request.threads);
  use_kernel_table();
  TuneReport report;
  report.file = kernel_table_file();
  if (report.file.empty()) {
    throw Error(ErrorCode::failed, "there is no folder to remember measured kernels in")
        .hint("set MAQUETTE_CACHE to one");
  }
  try {
    for (const Precision precision : precisions_of(request.recipe.precision)) {
      kernels::Tuner tuner;
      report.steps.push_back(tune_precision(request, precision, tuner));
      list_problems(tuner, report);
    }
  } catch (const Error& error) {
    if (kernels::has_choices()) save_kernel_table();
    if (error.code() == ErrorCode::cancelled) stop();
    throw;
  }
  decide_precision(report.steps);
  save_kernel_table();
  report.automatic = kernels::fastest_type() == DType::bf16 ? Precision::bf16 : Precision::f32;
  report.hash = kernels::choice_table().hash();
  return report;
}

Json to_json(const TuneReport& report) {
  Json problems = Json::array();
  for (const TuneReport::Problem& problem : report.problems) {
    problems.push_back({{"problem", problem.text},
                        {"default", problem.by_list},
                        {"chosen", problem.fastest},
                        {"ratio", problem.ratio}});
  }
  Json steps = Json::array();
  for (const TuneReport::Step& step : report.steps) {
    steps.push_back({{"precision", name(step.precision)},
                     {"measured", step.measured},
                     {"step_before", step.before},
                     {"step", step.after},
                     {"taken_back", step.taken_back}});
  }
  return {{"file", report.file.string()},
          {"kernels", report.hash},
          {"precision_auto", name(report.automatic)},
          {"steps", steps},
          {"problems", problems}};
}

}  // namespace maquette::app
