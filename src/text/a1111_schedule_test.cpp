#include "text/a1111_schedule.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace maquette::text {
namespace {

using Texts = std::vector<std::pair<int, std::string>>;

Texts read(std::string_view prompt, const ScheduleSteps& steps = {.steps = 10, .first_pass_steps = {}}) {
  Texts texts;
  for (const ScheduledText& text : read_schedule(prompt, steps).texts)
    texts.emplace_back(text.until_step, text.text);
  return texts;
}

struct Case {
  const char* prompt;
  Texts texts;  // over 10 steps
};

void check(const std::vector<Case>& cases) {
  for (const Case& entry : cases) EXPECT_EQ(read(entry.prompt), entry.texts) << entry.prompt;
}

TEST(A1111Schedule, plain_text_and_emphasis_stay_as_they_are) {
  for (const char* prompt :
       {"",         " ",           "misty hills", "(sea)",    "((sea:1.2))", "[fog]",     "[[fog]] (a:b)",
        "(a:b:c)",  "a: b",        "[a:b]",       "[a:b:c]",  "[a:b:c:3]",   "(a:3]",     "a [unclosed",
        "a) b] c:", "\\[a:b:3\\]", "[a:b:\\3]",   "[a:b:3x]", "[a:b:1.2.3]", "[a:b:inf]", "[]",
        "()",       "[:]"}) {
    EXPECT_EQ(read(prompt), (Texts{{10, prompt}}));
    EXPECT_FALSE(read_schedule(prompt, {}).unreadable) << prompt;
  }
}

TEST(A1111Schedule, editing_switches_after_a_step_or_a_fraction) {
  check({{"a [snow:sand:4] hill", {{4, "a snow hill"}, {10, "a sand hill"}}},
         {"a [moon:7]", {{7, "a "}, {10, "a moon"}}},
         {"a [fog::7] b", {{7, "a fog b"}, {10, "a  b"}}},
         {"[x:y:0.25]", {{2, "x"}, {10, "y"}}},
         {"[x:y:.5]", {{5, "x"}, {10, "y"}}},
         {"[x:y: 3 ]", {{3, "x"}, {10, "y"}}},
         {"[:3]", {{3, ""}, {10, ""}}},
         {"[ x : y :3]", {{3, " x "}, {10, " y "}}},
         {"[(x:1.2):(y):3]", {{3, "(x:1.2)"}, {10, "(y)"}}},
         {"[x:y:3][u:v:6]", {{3, "xu"}, {6, "yu"}, {10, "yv"}}}});
}

// 1 is a step and 1.0 all of them; switches at or before step 0 and after the end never show.
TEST(A1111Schedule, the_number_may_lie_outside_the_steps) {
  check({{"[x:y:0]", {{10, "y"}}},
         {"[x:y:-3]", {{10, "y"}}},
         {"[x:y:0.05]", {{10, "y"}}},
         {"[x:y:1]", {{1, "x"}, {10, "y"}}},
         {"[x:y:1.0]", {{10, "x"}}},
         {"[x:y:99]", {{10, "x"}}},
         {"[x:y:+2]", {{2, "x"}, {10, "y"}}},
         {"[x:y:1e0]", {{1, "x"}, {10, "y"}}},
         {"[x:y:1e999]", {{10, "x"}}},
         {"[x:y:1e-999]", {{10, "y"}}},
         {"[x:y:-1e999]", {{10, "y"}}}});
}

TEST(A1111Schedule, editing_nests) {
  check({{"[a:[b:c:6]:3]", {{3, "a"}, {6, "b"}, {10, "c"}}},
         {"[[a:b:2]:c:6]", {{2, "a"}, {6, "b"}, {10, "c"}}},
         {"[a:([b:c:6]):3]", {{3, "a"}, {6, "(b)"}, {10, "(c)"}}},
         {"([a:b:3] c:1.2)", {{3, "(a c:1.2)"}, {10, "(b c:1.2)"}}},
         {"[[a|b]:c:2]",
          {{1, "a"},
           {2, "b"},
           {3, "c"},
           {4, "c"},
           {5, "c"},
           {6, "c"},
           {7, "c"},
           {8, "c"},
           {9, "c"},
           {10, "c"}}}});
}

TEST(A1111Schedule, alternation_takes_the_next_at_each_step) {
  check({{"[a|b|c]",
          {{1, "a"},
           {2, "b"},
           {3, "c"},
           {4, "a"},
           {5, "b"},
           {6, "c"},
           {7, "a"},
           {8, "b"},
           {9, "c"},
           {10, "a"}}}});
  const ScheduleSteps three = {.steps = 3, .first_pass_steps = {}};
  EXPECT_EQ(read("[near|]by", three), (Texts{{1, "nearby"}, {2, "by"}, {3, "nearby"}}));
  EXPECT_EQ(read("[|x]", three), (Texts{{1, ""}, {2, "x"}, {3, ""}}));
  EXPECT_EQ(read("[||]", three), (Texts{{1, ""}, {2, ""}, {3, ""}}));
  EXPECT_EQ(read("[(a:1.1)|[b:c:2]]", three), (Texts{{1, "(a:1.1)"}, {2, "b"}, {3, "(a:1.1)"}}));
}

// A bracket that does not close is text, and so is every bracket around it; what is whole inside still
// counts.
TEST(A1111Schedule, unclosed_brackets_are_text) {
  check({{"((a] [b:c:3]", {{3, "((a] b"}, {10, "((a] c"}}},
         {"[a:(b:3]", {{10, "[a:(b:3]"}}},
         {"[a:[b:c]:3]", {{10, "[a:[b:c]:3]"}}},
         {"[a [b:c:3]", {{3, "[a b"}, {10, "[a c"}}},
         {"(a:b:c [d:4])", {{4, "(a:b:c )"}, {10, "(a:b:c d)"}}}});
}

TEST(A1111Schedule, a_bar_or_a_lone_backslash_turns_the_grammar_off) {
  for (const char* prompt :
       {"a | b [c:d:3]", "(a|b) [c:d:3]", "[a|b:3]", "[c:d:3] \\", "[c:d:3] \\\n", "[c:d:3] [a|b"}) {
    EXPECT_EQ(read(prompt), (Texts{{10, prompt}}));
    EXPECT_TRUE(read_schedule(prompt, {}).unreadable) << prompt;
  }
}

// In the second pass of hi-res, fractions run from 1 to 2 and steps count on from the first pass.
TEST(A1111Schedule, second_pass) {
  const ScheduleSteps second = {.steps = 10, .first_pass_steps = 20};
  EXPECT_EQ(read("[a:b:0.5]", second), (Texts{{10, "b"}}));
  EXPECT_EQ(read("[a:b:1.5]", second), (Texts{{5, "a"}, {10, "b"}}));
  EXPECT_EQ(read("[a:b:5]", second), (Texts{{10, "b"}}));
  EXPECT_EQ(read("[a:b:24]", second), (Texts{{4, "a"}, {10, "b"}}));
}

TEST(A1111Schedule, endless_nesting_is_refused) {
  EXPECT_THROW(read_schedule(std::string(1000, '['), {}), Error);
  EXPECT_EQ(read(std::string(200, '(')).size(), 1u);
}

}  // namespace
}  // namespace maquette::text
