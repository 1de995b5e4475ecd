#include "app/memorised.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace maquette::app {
namespace {

std::vector<double> spread(size_t count) {
  std::vector<double> values;
  for (size_t i = 0; i < count; ++i) values.push_back(1.0 + 0.01 * static_cast<double>(i % 5));
  return values;
}

TEST(Memorised, a_pull_is_judged_by_its_references) {
  struct Case {
    double pull;
    size_t references;
    PullVerdict verdict;
  };
  const Case cases[] = {
      {1.02, 40, PullVerdict::ordinary},
      {0.10, 40, PullVerdict::ordinary},   // weaker than all is no alarm
      {1.045, 40, PullVerdict::ordinary},  // above all, but not far
      {1.20, 40, PullVerdict::stands_out},
      {1.20, 20, PullVerdict::stands_out},
      {1.20, 19, PullVerdict::not_enough_samples},
      {1.20, 1, PullVerdict::not_enough_samples},
      {1.20, 0, PullVerdict::not_enough_samples},
  };
  for (const Case& c : cases)
    EXPECT_EQ(name(judge_pull(c.pull, spread(c.references)).verdict), name(c.verdict))
        << c.pull << " of " << c.references;
}

TEST(Memorised, chance_and_deviations_are_those_of_the_sample) {
  const std::vector<double> references{1, 2, 3, 4};
  const PullJudgement judgement = judge_pull(3.5, references);
  EXPECT_DOUBLE_EQ(judgement.mean, 2.5);
  EXPECT_NEAR(judgement.deviation, 1.2909944, 1e-6);  // sqrt(5/3)
  EXPECT_NEAR(judgement.deviations, 1 / 1.2909944, 1e-6);
  EXPECT_EQ(judgement.below, 3u);
  EXPECT_DOUBLE_EQ(judgement.chance, 0.4);  // (1 + 1) / (1 + 4)
}

Recipe tiny(const std::string& prompt, const std::string& negative) {
  Recipe recipe;
  recipe.model.path = "tests/golden/pipelines/models/sd1";
  recipe.prompt = prompt;
  recipe.negative = negative;
  recipe.width = recipe.height = 64;
  recipe.steps = 4;
  return recipe;
}

double pull_of(const Recipe& recipe) {
  return check_memorised({.recipe = recipe, .references = {"a wall", "a field"}, .seeds = 2}).json["pull"];
}

TEST(Memorised, a_prompt_like_its_negative_does_not_draw) {
  EXPECT_EQ(pull_of(tiny("a sea at dusk", "a sea at dusk")), 0.0);
  EXPECT_GT(pull_of(tiny("a sea at dusk", "")), 1e-4);
}

// The pull is of the prediction before guidance: the scale is not in it.
TEST(Memorised, the_scale_does_not_matter) {
  Recipe weak = tiny("a sea at dusk", "");
  Recipe strong = weak;
  weak.cfg = 2;
  strong.cfg = 12;
  EXPECT_EQ(pull_of(weak), pull_of(strong));
}

TEST(Memorised, what_cannot_be_compared_is_refused) {
  Recipe unguided = tiny("a sea at dusk", "");
  unguided.cfg = 1;
  for (const Recipe& recipe : {unguided, tiny("", "")}) {
    try {
      pull_of(recipe);
      ADD_FAILURE() << recipe.prompt;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
    }
  }
}

TEST(Memorised, can_be_stopped) {
  int asked = 0;
  const MemorisedRequest request{.recipe = tiny("a sea", ""),
                                 .references = {"a wall"},
                                 .progress = [&asked](const ProgressReport&) { return ++asked < 4; }};
  try {
    check_memorised(request);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
}

}  // namespace
}  // namespace maquette::app
