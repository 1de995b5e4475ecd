// The alarm for memorised prompts: whether a prompt draws a model harder than everyday prompts do, which is
// how pictures show that a model knows by heart (Wen et al. 2024, arXiv:2407.21720). It needs no pictures to
// compare with, and one call of the network for each prompt and seed.
//
// What it says is a reason to look closer, never a proof: long and unusual prompts draw harder too, and a
// model whose every prompt draws hard hides the one that is memorised.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/inspect.h"
#include "base/progress.h"
#include "base/recipe.h"

namespace maquette::app {

enum class PullVerdict {
  ordinary,
  stands_out,         // above every reference, and more than three deviations above their mean
  not_enough_samples  // fewer than twenty references
};
std::string_view name(PullVerdict verdict);  // "ordinary", "stands-out", "not-enough-samples"

// pulls: root mean square of (prompted - negative) at the first step, means over the seeds.
struct PullJudgement {
  PullVerdict verdict = PullVerdict::not_enough_samples;
  double pull = 0;
  size_t references = 0;
  double mean = 0;
  double deviation = 0;   // of the references, n - 1
  double deviations = 0;  // how many of these the pull is above the mean
  size_t below = 0;       // references that draw less
  // How often an everyday prompt would draw at least as hard: (1 + references not below) / (1 + references).
  double chance = 1;
};
PullJudgement judge_pull(double pull, std::span<const double> references);

struct MemorisedRequest {
  Recipe recipe;                        // its prompt is the one under suspicion
  std::vector<std::string> references;  // empty: kNeutralPrompts
  int seeds = 4;                        // recipe.seed and those after it, the same for every prompt
  double limit = 0;                     // deviations; 0: none
  ProgressCallback progress = {};
};

// Throws Error(usage) where nothing can be compared: no prompt, or a model that is run without a negative;
// Error(limit_exceeded) where the pull is more deviations above the mean than the limit; Error(cancelled).
Facts check_memorised(const MemorisedRequest& request);

}  // namespace maquette::app
