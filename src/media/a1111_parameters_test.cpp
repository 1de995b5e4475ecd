#include "media/a1111_parameters.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "media/golden_array.h"

namespace maquette::media {
namespace {

TEST(A1111Parameters, writes_and_reads_the_known_form) {
  A1111Parameters p{.prompt = "a tower, (dusk:1.2)\nmist", .negative_prompt = "fog\nrain"};
  p.add("Steps", "20");
  p.add("Sampler", "Euler a");
  p.add("Size", "64x48");
  p.add("Lora hashes", "a: 1f, b: 2e");
  const std::string text = write_a1111_parameters(p);
  EXPECT_EQ(text,
            "a tower, (dusk:1.2)\nmist\nNegative prompt: fog\nrain\n"
            "Steps: 20, Sampler: Euler a, Size: 64x48, Lora hashes: \"a: 1f, b: 2e\"");
  const A1111Parameters back = parse_a1111_parameters(text).take();
  EXPECT_EQ(back.prompt, p.prompt);
  EXPECT_EQ(back.negative_prompt, p.negative_prompt);
  EXPECT_EQ(back.fields, p.fields);
  EXPECT_EQ(back.size(), std::pair(64, 48));
}

TEST(A1111Parameters, quoting_survives_every_awkward_value) {
  for (const std::string value :
       {"a,b", "a:b", "two\nlines", "\"quoted\", twice", "back\\slash, x", "塔: 高", "plain"}) {
    A1111Parameters p{.prompt = "x"};
    p.add("Steps", "1");
    p.add("Odd value", value);
    p.add("Seed", "2");
    EXPECT_EQ(parse_a1111_parameters(write_a1111_parameters(p)).take().find("Odd value"), value);
  }
}

TEST(A1111Parameters, fewer_than_three_pairs_are_prompt) {
  const A1111Parameters two = parse_a1111_parameters("x\nSteps: 20, Seed: 5").take();
  EXPECT_EQ(two.prompt, "x\nSteps: 20, Seed: 5");
  EXPECT_TRUE(two.fields.empty());
  const A1111Parameters three = parse_a1111_parameters("x\nSteps: 20, Seed: 5, Size: 8x8").take();
  EXPECT_EQ(three.prompt, "x");
  EXPECT_EQ(three.fields.size(), 3u);
  EXPECT_EQ(parse_a1111_parameters("").take().prompt, "");
}

// The pairs that a regular-expression engine finds, over tricky lines and lines made at random. Lines with
// fewer than three pairs get three more in front, so that they count as settings.
TEST(A1111Parameters, pairs_equal_those_of_the_regular_expression) {
  const Json cases =
      parse_json(read_text_file(golden_path("text/infotext.json")).take(), "infotext.json").take();
  ASSERT_GT(cases.size(), 400u);
  for (const Json& item : cases) {
    const std::string line = item["line"].get<std::string>();
    const A1111Parameters p = parse_a1111_parameters("p\nAa: 1, Bb: 2, Cc: 3,\t" + line).take();
    const size_t known = 3;
    ASSERT_EQ(p.fields.size(), item["pairs"].size() + known) << line;
    for (size_t i = 0; i < item["pairs"].size(); ++i) {
      EXPECT_EQ(p.fields[i + known].first, item["pairs"][i][0].get<std::string>()) << line;
      EXPECT_EQ(p.fields[i + known].second, item["pairs"][i][1].get<std::string>()) << line;
    }
  }
}

TEST(A1111Parameters, hostile_text_takes_linear_time_or_is_refused) {
  EXPECT_FALSE(parse_a1111_parameters(std::string((1 << 20) + 1, 'a')));
  // Each of these makes a backtracking engine look at the rest of the line from every position.
  for (const std::string piece : {"aa ", "a:\"", "aa:\"\\\"", "::", "\""}) {
    std::string text;
    while (text.size() < (1 << 20) - 8) text += piece;
    EXPECT_TRUE(parse_a1111_parameters(text));
  }
}

}  // namespace
}  // namespace maquette::media
