#include "app/memorised.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/kernel_table.h"
#include "app/models_folder.h"
#include "app/neutral_prompts.h"
#include "diffusion/engine.h"

namespace maquette::app {

namespace {

constexpr size_t kFewestReferences = 20;
constexpr double kManyDeviations = 3;

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The pull at the first call of the network. The rest of the picture is not made: progress says stop as soon
// as the pull is known.
class FirstCall {
 public:
  explicit FirstCall(const ProgressCallback& asked) : asked_(asked) {}

  // Throws Error; cancelled where the caller of the check said stop.
  double pull_of(const Recipe& recipe) {
    std::vector<double> pulls;  // of each tile
    bool stopped = false;
    const diffusion::Callbacks callbacks{.progress =
                                             [&](const ProgressReport&) {
                                               stopped = asked_ && !asked_(now_);
                                               return !stopped && pulls.empty();
                                             },
                                         .prompt_pull = [&](double pull) { pulls.push_back(pull); }};
    try {
      engine_.run(recipe, callbacks);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::cancelled || stopped || pulls.empty()) throw;
    }
    if (pulls.empty()) {
      throw Error(ErrorCode::usage, "cannot measure how hard a prompt draws in this model")
          .with("found", "it is run without a negative prompt")
          .hint("--cfg above 1; models of few steps that need no guidance cannot be checked this way");
    }
    return pulls.front();
  }

  void at(int done, int total) {
    now_ = {.phase = "measuring prompts", .done = done, .total = total, .known = 0, .seconds_left = -1};
    if (asked_ && !asked_(now_)) throw Error(ErrorCode::cancelled, "stopped while measuring prompts");
  }

 private:
  const ProgressCallback& asked_;
  ProgressReport now_;
  diffusion::Engine engine_;
};

// Only the words under suspicion may differ between the prompt and its references.
Recipe bare(Recipe recipe) {
  if (recipe.prompt.empty()) {
    throw Error(ErrorCode::usage, "cannot check an empty prompt").hint("--prompt TEXT, or --recipe FILE");
  }
  recipe.regions.clear();
  recipe.hires = {};
  recipe.upscale = {};
  recipe.feature_cache = {};
  return with_models_found(std::move(recipe));
}

std::string sentence(PullVerdict verdict) {
  switch (verdict) {
    case PullVerdict::stands_out:
      return "stands out: the model may know a picture of these words by heart; look at several seeds, and "
             "compare "
             "them with what it was trained on";
    case PullVerdict::ordinary:
      return "does not stand out from everyday prompts; that is no proof of originality";
    case PullVerdict::not_enough_samples: break;
  }
  return fmt::format("not enough samples: a verdict needs {} references", kFewestReferences);
}

Facts facts_of(const PullJudgement& judgement, const Recipe& recipe, int seeds) {
  Facts facts;
  facts.json = {{"verdict", name(judgement.verdict)},
                {"prompt", recipe.prompt},
                {"model", recipe.model.path},
                {"seeds", seeds},
                {"pull", judgement.pull},
                {"references",
                 {{"count", judgement.references},
                  {"mean", judgement.mean},
                  {"deviation", judgement.deviation},
                  {"below", judgement.below}}},
                {"deviations", judgement.deviations},
                {"chance", judgement.chance}};
  facts.lines = {
      sentence(judgement.verdict),
      fmt::format("  pull        {:.4f} at the first step, mean of {} seeds", judgement.pull, seeds),
      fmt::format("  references  {} everyday prompts: {:.4f}, deviation {:.4f}; {} of them draw less",
                  judgement.references, judgement.mean, judgement.deviation, judgement.below),
      fmt::format("  above       {:.1f} deviations; an everyday prompt draws as hard with a chance of "
                  "{:.3f}",
                  judgement.deviations, judgement.chance)};
  return facts;
}

}  // namespace

std::string_view name(PullVerdict verdict) {
  switch (verdict) {
    case PullVerdict::ordinary: return "ordinary";
    case PullVerdict::stands_out: return "stands-out";
    case PullVerdict::not_enough_samples: break;
  }
  return "not-enough-samples";
}

PullJudgement judge_pull(double pull, std::span<const double> references) {
  PullJudgement judgement{.pull = pull, .references = references.size()};
  if (references.empty()) return judgement;
  judgement.mean = mean_of(references);
  judgement.below =
      static_cast<size_t>(std::ranges::count_if(references, [&](double r) { return r < pull; }));
  const auto n = static_cast<double>(references.size());
  judgement.chance = (1 + n - static_cast<double>(judgement.below)) / (1 + n);
  if (references.size() < 2) return judgement;

  double squares = 0;
  for (const double r : references) squares += (r - judgement.mean) * (r - judgement.mean);
  judgement.deviation = std::sqrt(squares / (n - 1));
  // References that are all alike still leave rounding: no division by less than that.
  judgement.deviations =
      (pull - judgement.mean) / std::max({judgement.deviation, 1e-6 * std::abs(judgement.mean), 1e-12});
  if (references.size() < kFewestReferences) return judgement;
  const bool out = judgement.below == references.size() && judgement.deviations > kManyDeviations;
  judgement.verdict = out ? PullVerdict::stands_out : PullVerdict::ordinary;
  return judgement;
}

Facts check_memorised(const MemorisedRequest& request) {
  use_kernel_table();
  Recipe recipe = bare(request.recipe);
  std::vector<std::string> prompts{recipe.prompt};
  if (request.references.empty())
    prompts.insert(prompts.end(), std::begin(kNeutralPrompts), std::end(kNeutralPrompts));
  else
    prompts.insert(prompts.end(), request.references.begin(), request.references.end());

  // Each prompt by itself, so that its words are encoded once for all seeds.
  FirstCall first_call(request.progress);
  std::vector<double> pulls;
  for (const std::string& prompt : prompts) {
    first_call.at(static_cast<int>(pulls.size()), static_cast<int>(prompts.size()));
    std::vector<double> of_seeds;
    for (int i = 0; i < request.seeds; ++i) {
      Recipe one = recipe;
      one.prompt = prompt;
      one.seed += static_cast<uint64_t>(i);
      of_seeds.push_back(first_call.pull_of(one));
    }
    pulls.push_back(mean_of(of_seeds));
  }
  const PullJudgement judgement = judge_pull(pulls[0], std::span(pulls).subspan(1));
  if (request.limit > 0 && judgement.deviations > request.limit) {
    throw Error(ErrorCode::limit_exceeded, "the prompt draws harder than everyday prompts")
        .with("found", fmt::format("{:.1f} deviations above the mean of {}", judgement.deviations,
                                   judgement.references))
        .with("expected", fmt::format("at most {}", request.limit))
        .hint("{}", sentence(judgement.verdict));
  }
  return facts_of(judgement, recipe, request.seeds);
}

}  // namespace maquette::app
