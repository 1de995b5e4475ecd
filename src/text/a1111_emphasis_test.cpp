#include "text/a1111_emphasis.h"

#include <gtest/gtest.h>

namespace maquette::text {
namespace {

using Parts = std::vector<std::pair<std::string, double>>;

Parts read(std::string_view text) {
  std::vector<std::string> warnings;
  Parts parts;
  for (const WeightedText& part : read_emphasis(text, warnings)) {
    parts.emplace_back(part.chunk_break ? "|" : part.text, part.chunk_break ? 0 : part.weight);
  }
  return parts;
}

void expect(std::string_view text, const Parts& parts) {
  const Parts found = read(text);
  ASSERT_EQ(found.size(), parts.size()) << text;
  for (size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(found[i].first, parts[i].first) << text;
    EXPECT_DOUBLE_EQ(found[i].second, parts[i].second) << text;
  }
}

TEST(A1111Emphasis, brackets_multiply) {
  expect("", {{"", 1}});
  expect("a hill", {{"a hill", 1}});
  expect("a (red) hill", {{"a ", 1}, {"red", 1.1}, {" hill", 1}});
  expect("a [red] hill", {{"a ", 1}, {"red", 1 / 1.1}, {" hill", 1}});
  expect("(red:1.5)", {{"red", 1.5}});
  expect("(red: 1.5 )", {{"red", 1.5}});
  expect("(red:+.5)", {{"red", 0.5}});
  expect("(red:-2)", {{"red", -2}});
  expect("(red:0)", {{"red", 0}});
  expect("((a)) ((b:2)) [(c)]", {{"a", 1.21}, {" ", 1}, {"b", 2.2}, {" c", 1}});
  expect("((a:1.2):1.2)", {{"a", 1.44}});
  expect("(a (b:1.5) c:2)", {{"a ", 2}, {"b", 3}, {" c", 2}});
}

TEST(A1111Emphasis, neighbours_of_one_weight_are_joined) {
  expect("(un)(necessary)", {{"unnecessary", 1.1}});
  expect("(un:1)necessary", {{"unnecessary", 1}});
}

TEST(A1111Emphasis, unclosed_brackets_reach_to_the_end) {
  expect("a (b", {{"a ", 1}, {"b", 1.1}});
  expect("((b", {{"b", 1.1 * 1.1}});
  expect("[b (c", {{"b ", 1 / 1.1}, {"c", 1.1 * (1 / 1.1)}});
  expect("a) b] c", {{"a) b] c", 1}});
  expect("a:1.3) b", {{"a:1.3) b", 1}});
  expect("[a:1.3)]", {{"a:1.3)", 1 / 1.1}});
}

TEST(A1111Emphasis, escapes) {
  expect("\\(a\\) \\[b\\] \\\\", {{"(a) [b] \\", 1}});
  expect("(\\(a\\):1.5)", {{"(a)", 1.5}});
  expect("a\\b\\", {{"ab", 1}});
}

TEST(A1111Emphasis, colons_that_are_no_weight_are_text) {
  expect("(a:b)", {{"a:b", 1.1}});
  expect("(a:1.2", {{"a:1.2", 1.1}});
  expect("2001: a film", {{"2001: a film", 1}});
  expect("(a:1:2)", {{"a:1", 2}});
}

TEST(A1111Emphasis, a_number_that_is_none_is_text_and_warned_of) {
  std::vector<std::string> warnings;
  const std::vector<WeightedText> parts = read_emphasis("(a:1.2.3)", warnings);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].text, "a:1.2.3)");
  EXPECT_EQ(warnings.size(), 1u);
}

TEST(A1111Emphasis, break_ends_a_chunk) {
  expect("a BREAK b", {{"a", 1}, {"|", 0}, {"b", 1}});
  expect("BREAK", {{"", 1}, {"|", 0}, {"", 1}});
  expect("a\u3000\n BREAK BREAK b", {{"a", 1}, {"|", 0}, {"", 1}, {"|", 0}, {"b", 1}});
  expect("a,BREAK,b", {{"a,", 1}, {"|", 0}, {",b", 1}});
  expect("BREAKS _BREAK éBREAK break BREAK1", {{"BREAKS _BREAK éBREAK break BREAK1", 1}});
  expect("(a) BREAK (b)", {{"a", 1.1}, {"", 1}, {"|", 0}, {"", 1}, {"b", 1.1}});
}

TEST(A1111Emphasis, break_inside_brackets_is_a_word) {
  std::vector<std::string> warnings;
  const std::vector<WeightedText> parts = read_emphasis("(a BREAK b)", warnings);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_FALSE(parts[1].chunk_break);
  EXPECT_DOUBLE_EQ(parts[1].weight, -1.1);
  EXPECT_EQ(warnings.size(), 1u);
}

TEST(A1111Emphasis, words_stand_alone) {
  EXPECT_EQ(find_word("AND a AND b SAND ANDY AND", "AND"), (std::vector<size_t>{0, 6, 22}));
  EXPECT_EQ(find_word("日AND AND日 (AND)", "AND"), (std::vector<size_t>{15}));
}

}  // namespace
}  // namespace maquette::text
