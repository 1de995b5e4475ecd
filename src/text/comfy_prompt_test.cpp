#include <gtest/gtest.h>

#include "text/prompt.h"

namespace maquette::text {
namespace {

const ClipTokenizer& tokenizer() { return ClipTokenizer::standard(); }

std::string repeat(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

const EmbeddingName kNames[] = {{"ink.safetensors", 3}, {"wash", 8}, {"hat.pt", 2}};

ParsedPrompt parse(std::string_view text) {
  return parse_prompt(text, tokenizer(), {.dialect = Dialect::comfy, .embeddings = kNames});
}

std::vector<PromptToken> tokens(std::string_view text) {
  const ParsedPrompt prompt = parse(text);
  EXPECT_EQ(prompt.parts[0].variants[0].chunks.size(), 1u);
  return prompt.parts[0].variants[0].chunks[0].tokens;
}

std::vector<size_t> sizes(std::string_view text) {
  std::vector<size_t> all;
  const ParsedPrompt prompt = parse(text);
  for (const Chunk& chunk : prompt.parts[0].variants[0].chunks) all.push_back(chunk.tokens.size());
  return all;
}

// One weight for each of the words of a text of one-token words.
struct WeightCase {
  const char* text;
  std::vector<float> weights;
};

TEST(ComfyPrompt, weights) {
  const float once = 1.1f;
  const float twice = static_cast<float>(1.1 * 1.1);
  const std::vector<WeightCase> cases = {
      {"cat", {1}},
      {"a (red) cat", {1, once, 1}},
      {"((red)) cat", {twice, 1}},
      {"(red:1.5) cat", {1.5f, 1}},
      {"((red:1.2):1.5)", {1.2f}},  // the number replaces what is around it
      {"(a (red) cat:1.5)", {1.5f, static_cast<float>(1.5 * 1.1), 1.5f}},
      {"(red: 1.5 )", {1.5f}},
      {"(red:-1)", {-1}},
      {"(red:1e-1)", {0.1f}},
      {"(red:x)", {once, once, once}},       // no number: the colon is text
      {"(:1.5)", {once, once, once, once}},  // nothing before the colon
      {"(red:nan)", {once, once, once}},
      {"(red", {1, 1}},  // an unclosed one is text
      {"red) (cat:1.5)", {1, 1, 1, 1, 1, 1, 1, 1, 1}},
      {"[red]", {1, 1, 1}},  // square ones always are
      {"\\(red\\)", {1, 1, 1}},
      {"(\\(red\\):1.5)", {1.5f, 1.5f, 1.5f}},
  };
  for (const WeightCase& entry : cases) {
    std::vector<float> found;
    for (const PromptToken& token : tokens(entry.text)) found.push_back(token.weight);
    EXPECT_EQ(found, entry.weights) << entry.text;
  }
}

TEST(ComfyPrompt, escaped_parentheses_are_characters) {
  std::vector<int> ids;
  for (const PromptToken& token : tokens("\\(cat\\) \\[")) ids.push_back(token.id);
  EXPECT_EQ(ids, tokenizer().encode("(cat) \\["));
}

TEST(ComfyPrompt, other_grammar_is_text) {
  const char* text = "[a:b:3] [a|b] a AND b BREAK <lora:x:1> # x";
  std::vector<int> ids;
  for (const PromptToken& token : tokens(text)) ids.push_back(token.id);
  EXPECT_EQ(ids, tokenizer().encode(text));
  EXPECT_TRUE(parse(text).extra_networks.empty());
}

TEST(ComfyPrompt, embeddings_by_file_name) {
  const auto places = [](std::string_view text) {
    std::vector<std::pair<int, int>> all;
    for (const PromptToken& token : tokens(text)) all.emplace_back(token.embedding, token.row);
    return all;
  };
  using Places = std::vector<std::pair<int, int>>;
  const Places ink = {{0, 0}, {0, 1}, {0, 2}};
  EXPECT_EQ(places("embedding:ink"), ink);
  EXPECT_EQ(places("embedding:ink.safetensors"), ink);
  EXPECT_EQ(places("embedding:hat.pt"), (Places{{2, 0}, {2, 1}}));
  EXPECT_EQ(places("embedding:wash.safetensors").size(), 8u);
  EXPECT_EQ(places("embedding:ink cat"), (Places{{0, 0}, {0, 1}, {0, 2}, {-1, 0}}));
  EXPECT_EQ(places("cat\nembedding:ink, cat"), (Places{{-1, 0}, {0, 0}, {0, 1}, {0, 2}, {-1, 0}, {-1, 0}}));
  EXPECT_EQ(places("embedding:ink[cat"), (Places{{0, 0}, {0, 1}, {0, 2}, {-1, 0}, {-1, 0}}));
  EXPECT_EQ(tokens("(embedding:hat:1.5)")[0].weight, 1.5f);
  EXPECT_EQ(parse("xembedding:ink").warnings.size(), 0u);  // not after white space: text
  EXPECT_EQ(places("xembedding:ink")[0].first, -1);
}

TEST(ComfyPrompt, unknown_embeddings_are_left_out_and_warned_of) {
  const ParsedPrompt prompt = parse("cat embedding:none cat embedding:");
  EXPECT_EQ(prompt.warnings.size(), 2u);
  EXPECT_EQ(prompt.parts[0].variants[0].chunks[0].tokens.size(), 2u);
}

TEST(ComfyPrompt, short_runs_move_to_the_next_chunk_whole) {
  EXPECT_EQ(sizes(repeat("cat ", 76)), (std::vector<size_t>{75, 1}));
  EXPECT_EQ(sizes(repeat("cat ", 70) + "(" + repeat("dog ", 7) + ":1.5)"), (std::vector<size_t>{70, 7}));
  EXPECT_EQ(sizes(repeat("cat ", 70) + "(" + repeat("dog ", 8) + ":1.5)"), (std::vector<size_t>{75, 3}));
  EXPECT_EQ(sizes(repeat("cat ", 73) + "embedding:ink"), (std::vector<size_t>{73, 3}));
  EXPECT_EQ(sizes(repeat("cat ", 73) + "embedding:wash"), (std::vector<size_t>{75, 6}));
  EXPECT_EQ(sizes(repeat("cat ", 75) + "(dog)"), (std::vector<size_t>{75, 1}));
}

TEST(ComfyPrompt, endless_nesting_is_refused) {
  EXPECT_THROW(parse(std::string(1000, '(') + "a" + std::string(1000, ')')), Error);
  EXPECT_EQ(sizes(std::string(200, '(') + "a" + std::string(200, ')')), (std::vector<size_t>{1}));
}

}  // namespace
}  // namespace maquette::text
