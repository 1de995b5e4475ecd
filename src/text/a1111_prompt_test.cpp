#include <gtest/gtest.h>

#include "text/prompt.h"

namespace maquette::text {
namespace {

const ClipTokenizer& tokenizer() { return ClipTokenizer::standard(); }
constexpr int kCat = 2368;
constexpr int kComma = 267;

std::string repeat(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

ParsedPrompt parse(std::string_view text, PromptOptions options = {}) {
  options.dialect = Dialect::a1111;
  return parse_prompt(text, tokenizer(), options);
}

// The sizes of the chunks of a prompt that never changes.
std::vector<size_t> sizes(const ParsedPrompt& prompt) {
  std::vector<size_t> all;
  EXPECT_EQ(prompt.parts.size(), 1u);
  for (const Chunk& chunk : prompt.parts[0].variants[0].chunks) all.push_back(chunk.tokens.size());
  return all;
}

TEST(A1111Prompt, weights_reach_the_tokens) {
  const ParsedPrompt prompt = parse("a (red:1.5) [cat]");
  ASSERT_EQ(sizes(prompt), (std::vector<size_t>{3}));
  const std::vector<PromptToken>& tokens = prompt.parts[0].variants[0].chunks[0].tokens;
  EXPECT_EQ(tokens[0].weight, 1.0f);
  EXPECT_EQ(tokens[1].weight, 1.5f);
  EXPECT_EQ(tokens[2].weight, static_cast<float>(1 / 1.1));
  EXPECT_EQ(tokens[2].id, kCat);
}

TEST(A1111Prompt, long_prompts_go_on_in_the_next_chunk) {
  EXPECT_EQ(sizes(parse(repeat("cat ", 75))), (std::vector<size_t>{75}));
  EXPECT_EQ(sizes(parse(repeat("cat ", 76))), (std::vector<size_t>{75, 1}));
  EXPECT_EQ(sizes(parse(repeat("cat ", 160))), (std::vector<size_t>{75, 75, 10}));
}

// What follows the last comma moves on, if that is at most 20 tokens before the end.
TEST(A1111Prompt, phrases_are_not_torn_apart_at_the_end_of_a_chunk) {
  EXPECT_EQ(sizes(parse(repeat("cat ", 70) + "," + repeat(" cat", 10))), (std::vector<size_t>{71, 10}));
  EXPECT_EQ(sizes(parse(repeat("cat ", 55) + "," + repeat(" cat", 30))), (std::vector<size_t>{56, 30}));
  EXPECT_EQ(sizes(parse(repeat("cat ", 54) + "," + repeat(" cat", 30))), (std::vector<size_t>{75, 10}));
  EXPECT_EQ(sizes(parse(repeat("cat ", 74) + ", cat")), (std::vector<size_t>{75, 1}));
  EXPECT_EQ(sizes(parse(repeat("cat ", 70) + "," + repeat(" cat", 4))), (std::vector<size_t>{75}));
}

TEST(A1111Prompt, a_comma_after_a_full_chunk_begins_the_next) {
  const ParsedPrompt prompt = parse(repeat("cat ", 75) + ", cat");
  EXPECT_EQ(sizes(prompt), (std::vector<size_t>{75, 2}));
  EXPECT_EQ(prompt.parts[0].variants[0].chunks[1].tokens[0].id, kComma);
  // The comma at place 0 of the second chunk is not one to go back to.
  EXPECT_EQ(sizes(parse(repeat("cat ", 75) + "," + repeat(" cat", 80))), (std::vector<size_t>{75, 75, 6}));
}

TEST(A1111Prompt, break_fills_the_chunk) {
  EXPECT_EQ(sizes(parse("cat BREAK cat cat")), (std::vector<size_t>{1, 2}));
  EXPECT_EQ(sizes(parse("BREAK cat")), (std::vector<size_t>{0, 1}));
  EXPECT_EQ(sizes(parse("cat BREAK")), (std::vector<size_t>{1}));
  EXPECT_EQ(sizes(parse("cat BREAK BREAK cat")), (std::vector<size_t>{1, 0, 1}));
}

TEST(A1111Prompt, and_makes_parts_with_weights) {
  const ParsedPrompt prompt = parse("a cat :1.2 AND a dog AND sea:-0.5 AND  :2. AND +: +3");
  ASSERT_EQ(prompt.parts.size(), 5u);
  const std::pair<const char*, double> expected[] = {
      {"a cat", 1.2}, {" a dog", 1}, {" sea", -0.5}, {"", 2}, {" +", 3}};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(prompt.parts[i].variants[0].text, expected[i].first);
    EXPECT_DOUBLE_EQ(prompt.parts[i].weight, expected[i].second);
  }
  EXPECT_TRUE(prompt.warnings.empty());
  EXPECT_EQ(parse("SAND and ANDY").parts.size(), 1u);
  EXPECT_EQ(parse("AND").parts.size(), 2u);
  EXPECT_EQ(parse("a AND b", {.negative = true}).parts.size(), 1u);
}

TEST(A1111Prompt, a_number_at_the_end_is_a_weight_and_warned_of) {
  const ParsedPrompt prompt = parse("at 10:30");
  EXPECT_DOUBLE_EQ(prompt.parts[0].weight, 30);
  EXPECT_EQ(prompt.parts[0].variants[0].text, "at 10");
  EXPECT_EQ(prompt.warnings.size(), 1u);
  for (const char* text : {"a:1.2x", "a:1e3", "a:1.2.3", "a:", "(a:1.2)", "[a:b:2]", "a:+"}) {
    EXPECT_DOUBLE_EQ(parse(text).parts[0].weight, 1.0) << text;
  }
}

TEST(A1111Prompt, schedules_name_the_variant_of_each_step) {
  const ParsedPrompt prompt = parse("a [cat:dog:3] AND [x|y]", {.steps = 5});
  ASSERT_EQ(prompt.parts.size(), 2u);
  const PromptPart& editing = prompt.parts[0];
  ASSERT_EQ(editing.variants.size(), 2u);
  EXPECT_EQ(editing.variants[0].text, "a cat");
  // A step is compared with "until" while it is counted from 0: the first variant lasts one step longer.
  const std::vector<size_t> expected = {0, 0, 0, 0, 1};
  for (int step = 0; step < 5; ++step)
    EXPECT_EQ(editing.variant_at(step), expected[static_cast<size_t>(step)]);
  EXPECT_EQ(editing.variant_at(99), 1u);

  const PromptPart& alternation = prompt.parts[1];
  EXPECT_EQ(alternation.variants.size(), 2u);
  EXPECT_EQ(alternation.schedule.size(), 5u);
  const std::vector<size_t> alternating = {0, 0, 1, 0, 1};
  for (int step = 0; step < 5; ++step)
    EXPECT_EQ(alternation.variant_at(step), alternating[static_cast<size_t>(step)]);
}

TEST(A1111Prompt, variants_of_a_part_are_equally_long) {
  const ParsedPrompt prompt = parse("[cat:" + repeat("dog ", 80) + ":2]", {.steps = 5});
  ASSERT_EQ(prompt.parts[0].variants.size(), 2u);
  EXPECT_EQ(prompt.parts[0].variants[0].chunks.size(), 2u);
  EXPECT_EQ(prompt.parts[0].variants[1].chunks.size(), 2u);
}

TEST(A1111Prompt, extra_networks_are_taken_out) {
  const ParsedPrompt prompt = parse(
      "a<lora:ink:0.7>cat <lora:wash:0.5:0.2:8> <hypernet:x> <lora:k:te=1:unet=.3> <not a tag> <:x> <lora:> "
      "<l");
  ASSERT_EQ(prompt.extra_networks.size(), 4u);
  EXPECT_EQ(prompt.parts[0].variants[0].text, "acat    <not a tag> <:x> <lora:> <l");
  const LoraTag ink = read_lora_tag(prompt.extra_networks[0]).take();
  EXPECT_EQ(ink.name, "ink");
  EXPECT_DOUBLE_EQ(ink.text_encoder, 0.7);
  EXPECT_DOUBLE_EQ(ink.unet, 0.7);
  EXPECT_FALSE(ink.dynamic_rank);
  const LoraTag wash = read_lora_tag(prompt.extra_networks[1]).take();
  EXPECT_DOUBLE_EQ(wash.text_encoder, 0.5);
  EXPECT_DOUBLE_EQ(wash.unet, 0.2);
  EXPECT_EQ(wash.dynamic_rank, 8);
  EXPECT_EQ(prompt.extra_networks[2].kind, "hypernet");
  EXPECT_DOUBLE_EQ(read_lora_tag(prompt.extra_networks[2]).take().unet, 1.0);
  const LoraTag named = read_lora_tag(prompt.extra_networks[3]).take();
  EXPECT_DOUBLE_EQ(named.text_encoder, 1.0);
  EXPECT_DOUBLE_EQ(named.unet, 0.3);
}

TEST(A1111Prompt, bad_lora_tags_are_errors) {
  for (const char* text :
       {"<lora:x:much>", "<lora:x:1:2:3.5>", "<lora::1>", "<lora:te=1>", "<lora:x:inf>", "<lora:x:1:1:0>"}) {
    const ParsedPrompt prompt = parse(text);
    ASSERT_EQ(prompt.extra_networks.size(), 1u) << text;
    EXPECT_FALSE(read_lora_tag(prompt.extra_networks[0])) << text;
  }
}

TEST(A1111Prompt, a_negative_prompt_keeps_its_tags) {
  const ParsedPrompt prompt = parse("bad <lora:ink:1>", {.negative = true});
  EXPECT_TRUE(prompt.extra_networks.empty());
  EXPECT_EQ(prompt.parts[0].variants[0].text, "bad <lora:ink:1>");
  EXPECT_EQ(prompt.warnings.size(), 1u);
}

TEST(A1111Prompt, comments_are_not_used) {
  const ParsedPrompt prompt = parse("a cat # and more\n# all of it\nand a dog");
  EXPECT_EQ(tokenizer().encode(prompt.parts[0].variants[0].text), tokenizer().encode("a cat and a dog"));
  EXPECT_EQ(prompt.warnings.size(), 1u);
}

TEST(A1111Prompt, embeddings_are_found_by_their_tokens) {
  const EmbeddingName names[] = {{"ink wash", 3}, {"ink", 2}};
  const ParsedPrompt prompt = parse("a (INK wash:1.5) ink blot", {.embeddings = names});
  ASSERT_EQ(sizes(prompt), (std::vector<size_t>{7}));
  const std::vector<PromptToken>& tokens = prompt.parts[0].variants[0].chunks[0].tokens;
  const std::pair<int, int> expected[] = {{-1, 0}, {0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {-1, 0}};
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(tokens[i].embedding, expected[i].first);
    EXPECT_EQ(tokens[i].row, expected[i].second);
  }
  EXPECT_EQ(tokens[1].weight, 1.5f);
  EXPECT_EQ(tokens[4].weight, 1.0f);
}

TEST(A1111Prompt, embeddings_never_straddle_chunks) {
  const EmbeddingName names[] = {{"ink", 10}, {"huge", 76}};
  EXPECT_EQ(sizes(parse(repeat("cat ", 65) + "ink", {.embeddings = names})), (std::vector<size_t>{75}));
  EXPECT_EQ(sizes(parse(repeat("cat ", 66) + "ink cat", {.embeddings = names})),
            (std::vector<size_t>{66, 11}));
  EXPECT_THROW(parse("huge", {.embeddings = names}), Error);
  // One that moves with its phrase stays whole and keeps its rows.
  const ParsedPrompt moved = parse(repeat("cat ", 60) + ", ink cat cat cat cat cat", {.embeddings = names});
  ASSERT_EQ(sizes(moved), (std::vector<size_t>{61, 15}));
  EXPECT_EQ(moved.parts[0].variants[0].chunks[1].tokens[9].row, 9);
}

TEST(A1111Prompt, tokens_are_counted_over_all_variants) {
  const auto count = [](std::string_view text) { return count_tokens(parse(text), {}); };
  EXPECT_EQ(count("a cat").tokens, 2);
  EXPECT_EQ(count("a cat").capacity, 75);
  EXPECT_EQ(count("[a:" + repeat("cat ", 80) + ":3] AND b").tokens, 80);
  EXPECT_EQ(count("[a:" + repeat("cat ", 80) + ":3]").capacity, 150);
  EXPECT_EQ(count("cat BREAK cat cat").tokens, 77);
}

TEST(A1111Prompt, a_pad_token_of_the_folder_is_no_word_here) {
  const std::vector<AddedToken> pad = {{.content = "!", .id = 0}};
  const ClipTokenizer with_pad = tokenizer().with_added_tokens(pad);
  EXPECT_EQ(parse_prompt("hey!", with_pad, {}).parts[0].variants[0].chunks[0].tokens[1].id, 256);
  EXPECT_EQ(parse_prompt("hey!", with_pad, {.dialect = Dialect::diffusers})
                .parts[0]
                .variants[0]
                .chunks[0]
                .tokens[1]
                .id,
            0);
}

}  // namespace
}  // namespace maquette::text
