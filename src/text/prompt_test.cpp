// What the dialects share, and the diffusers dialect.
#include "text/prompt.h"

#include <gtest/gtest.h>

namespace maquette::text {
namespace {

const ClipTokenizer& tokenizer() { return ClipTokenizer::standard(); }

std::string words(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += i == 0 ? "cat" : " cat";
  return text;
}

std::vector<int> ids_of(const Chunk& chunk) {
  std::vector<int> ids;
  for (const PromptToken& token : chunk.tokens) ids.push_back(token.id);
  return ids;
}

const Chunk& only_chunk(const ParsedPrompt& prompt) {
  EXPECT_EQ(prompt.parts.size(), 1u);
  EXPECT_EQ(prompt.parts[0].variants.size(), 1u);
  EXPECT_EQ(prompt.parts[0].variants[0].chunks.size(), 1u);
  return prompt.parts[0].variants[0].chunks[0];
}

// The same text in the three dialects.
TEST(Prompt, the_same_text_weighs_differently) {
  const auto weights = [](Dialect dialect) {
    std::vector<float> all;
    const ParsedPrompt prompt = parse_prompt("((cat:1.2):1.2)", tokenizer(), {.dialect = dialect});
    for (const PromptToken& token : only_chunk(prompt).tokens) all.push_back(token.weight);
    return all;
  };
  EXPECT_EQ(weights(Dialect::a1111), (std::vector<float>{1.44f}));
  EXPECT_EQ(weights(Dialect::comfy), (std::vector<float>{1.2f}));
  EXPECT_EQ(weights(Dialect::diffusers), std::vector<float>(11, 1.0f));
}

TEST(Prompt, frames_end_with_the_padding_of_the_encoder) {
  Chunk chunk;
  chunk.tokens = {{.id = 320, .weight = 1.5f}, {.id = 0, .weight = 0.5f, .embedding = 2, .row = 1}};
  const FramedChunk framed = frame_chunk(chunk, {.bos = 1, .eos = 2, .pad = 0}, 5);
  EXPECT_EQ(framed.ids, (std::vector<int>{1, 320, 0, 2, 0, 0, 0}));
  EXPECT_EQ(framed.weights, (std::vector<float>{1, 1.5f, 0.5f, 1, 1, 1, 1}));
  EXPECT_EQ(framed.eos_position, 3);
  ASSERT_EQ(framed.replacements.size(), 1u);
  EXPECT_EQ(framed.replacements[0].position, 2);
  EXPECT_EQ(framed.replacements[0].embedding, 2);
  EXPECT_EQ(framed.replacements[0].row, 1);
  EXPECT_EQ(frame_chunk({}, {}).ids.size(), 77u);
  EXPECT_EQ(frame_chunk({}, {}).eos_position, 1);
  EXPECT_THROW(frame_chunk(chunk, {}, 1), Error);
}

TEST(Prompt, absurd_requests_are_errors) {
  const EmbeddingName nameless[] = {{"", 1}};
  const EmbeddingName empty[] = {{"a", 0}};
  const EmbeddingName huge[] = {{"a", 1 << 30}};
  for (const PromptOptions& options :
       {PromptOptions{.steps = 0}, PromptOptions{.steps = 1 << 30}, PromptOptions{.first_pass_steps = 0},
        PromptOptions{.chunk_length = 0}, PromptOptions{.embeddings = nameless},
        PromptOptions{.embeddings = empty}, PromptOptions{.embeddings = huge}}) {
    EXPECT_THROW(parse_prompt("a", tokenizer(), options), Error);
  }
  for (const Dialect dialect : {Dialect::diffusers, Dialect::a1111, Dialect::comfy}) {
    EXPECT_THROW(parse_prompt(std::string(70000, 'a'), tokenizer(), {.dialect = dialect}), Error);
  }
  for (const char* text :
       {"(a:1e39)", "((((((a:9999999999):9999999999):9999999999):9999999999):9999999999):9)"}) {
    const Dialect dialect = text[3] == '1' ? Dialect::comfy : Dialect::a1111;
    EXPECT_THROW(parse_prompt(text, tokenizer(), {.dialect = dialect}), Error) << text;
  }
  EXPECT_THROW(parse_prompt("[a|b] " + words(10000), tokenizer(), {.steps = 10000}), Error);
}

TEST(Prompt, an_empty_prompt_is_one_empty_chunk) {
  for (const Dialect dialect : {Dialect::diffusers, Dialect::a1111, Dialect::comfy}) {
    for (const char* text : {"", " \n"}) {
      const ParsedPrompt prompt = parse_prompt(text, tokenizer(), {.dialect = dialect});
      EXPECT_TRUE(only_chunk(prompt).tokens.empty()) << name(dialect);
      EXPECT_EQ(prompt.parts[0].variant_at(0), 0u);
      EXPECT_TRUE(prompt.warnings.empty());
      const TokenCount count = count_tokens(prompt, {.dialect = dialect});
      EXPECT_EQ(count.tokens, 0);
      EXPECT_EQ(count.capacity, 75);
    }
  }
}

TEST(Prompt, bytes_that_are_not_utf8_are_read) {
  for (const Dialect dialect : {Dialect::diffusers, Dialect::a1111, Dialect::comfy}) {
    const ParsedPrompt prompt = parse_prompt("a\xFF(\xC3:1.5)\xE2\x82", tokenizer(), {.dialect = dialect});
    EXPECT_FALSE(only_chunk(prompt).tokens.empty());
  }
}

// ---- diffusers ----

TEST(DiffusersPrompt, what_does_not_fit_is_cut_off_and_reported) {
  const PromptOptions options = {.dialect = Dialect::diffusers};
  const ParsedPrompt whole = parse_prompt(words(75), tokenizer(), options);
  EXPECT_EQ(only_chunk(whole).tokens.size(), 75u);
  EXPECT_EQ(whole.truncated, "");
  const ParsedPrompt cut = parse_prompt(words(75) + " red moon", tokenizer(), options);
  EXPECT_EQ(only_chunk(cut).tokens.size(), 75u);
  EXPECT_EQ(cut.truncated, "red moon");
  EXPECT_EQ(cut.warnings.size(), 1u);
  EXPECT_EQ(count_tokens(cut, options).tokens, 75);
}

TEST(DiffusersPrompt, grammar_is_text) {
  const char* text = "(a:1.2) [b:c:3] AND <lora:x:1> BREAK # x";
  const ParsedPrompt prompt = parse_prompt(text, tokenizer(), {.dialect = Dialect::diffusers});
  EXPECT_EQ(ids_of(only_chunk(prompt)), tokenizer().encode(text));
}

TEST(DiffusersPrompt, embeddings_are_spelled_out) {
  const EmbeddingName names[] = {{"<toy>", 1}, {"<hat>", 3}, {"Style", 2}};
  const PromptOptions options = {.dialect = Dialect::diffusers, .embeddings = names};
  const auto row = [&](std::string_view text) {
    std::vector<std::pair<int, int>> places;
    const ParsedPrompt prompt = parse_prompt(text, tokenizer(), options);
    for (const PromptToken& token : only_chunk(prompt).tokens)
      places.emplace_back(token.embedding, token.row);
    return places;
  };
  EXPECT_EQ(row("a <toy>"), (std::vector<std::pair<int, int>>{{-1, 0}, {0, 0}}));
  EXPECT_EQ(row("<hat> a"), (std::vector<std::pair<int, int>>{{1, 0}, {1, 1}, {1, 2}, {-1, 0}}));
  EXPECT_EQ(row("<HAT>"), (std::vector<std::pair<int, int>>{{1, 0}}));  // found, but only as it is written
  EXPECT_EQ(row("Style"), (std::vector<std::pair<int, int>>{{2, 0}}));
  EXPECT_EQ(parse_prompt("Style", tokenizer(), options).warnings.size(), 1u);
}

}  // namespace
}  // namespace maquette::text
