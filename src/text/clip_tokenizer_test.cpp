#include "text/clip_tokenizer.h"

#include <cstdlib>
#include <gtest/gtest.h>

#include "base/json.h"

namespace maquette::text {
namespace {

// Golden cases are {"text", "ids", "decoded"}; MAQUETTE_TOKENIZER_CASES names another file of them, for a
// long differential run (tools/golden/tokenizer.py --random).
TEST(ClipTokenizer, equals_transformers_on_every_golden_text) {
  const char* other = std::getenv("MAQUETTE_TOKENIZER_CASES");
  const fs::path path = other ? other : "tests/golden/text/tokenizer.json";
  const Json golden = parse_json(read_text_file(path).take(), path.string()).take();
  const Json& cases = golden.at("cases");
  ASSERT_GE(cases.size(), 300u);
  const ClipTokenizer& tokenizer = ClipTokenizer::standard();
  int wrong = 0;
  for (const Json& entry : cases) {
    const auto text = entry.at("text").get<std::string>();
    const auto ids = entry.at("ids").get<std::vector<int>>();
    if (tokenizer.encode(text) == ids && tokenizer.decode(ids) == entry.at("decoded").get<std::string>())
      continue;
    if (++wrong > 10) break;
    EXPECT_EQ(tokenizer.encode(text), ids) << entry.at("text").dump(-1, ' ', true);
    EXPECT_EQ(tokenizer.decode(ids), entry.at("decoded").get<std::string>());
  }
  EXPECT_EQ(wrong, 0);
}

TEST(ClipTokenizer, knows_the_numbers_of_clip) {
  const ClipTokenizer& tokenizer = ClipTokenizer::standard();
  EXPECT_EQ(tokenizer.bos_id(), 49406);
  EXPECT_EQ(tokenizer.eos_id(), 49407);
  EXPECT_EQ(tokenizer.pad_id(), 49407);
  EXPECT_EQ(tokenizer.vocabulary_size(), 49408);
  EXPECT_EQ(tokenizer.encode("a cat"), (std::vector<int>{320, 2368}));
}

TEST(ClipTokenizer, bytes_that_are_not_utf8_read_as_the_replacement_character) {
  const ClipTokenizer& tokenizer = ClipTokenizer::standard();
  EXPECT_EQ(tokenizer.encode("a\xFF"), tokenizer.encode("a\uFFFD"));
  EXPECT_EQ(tokenizer.encode("\xE2\x82 b"), tokenizer.encode("\uFFFD b"));
  EXPECT_EQ(tokenizer.encode("\xED\xA0\x80"), tokenizer.encode("\uFFFD\uFFFD\uFFFD"));
  EXPECT_EQ(tokenizer.encode("\xF0\x9F"), tokenizer.encode("\uFFFD"));
}

TEST(ClipTokenizer, decodes_what_it_knows_and_leaves_out_the_rest) {
  const ClipTokenizer& tokenizer = ClipTokenizer::standard();
  EXPECT_EQ(tokenizer.decode(std::vector<int>{320, 2368, 256, 49407, 267}), "a cat ! <|endoftext|>,");
  EXPECT_EQ(tokenizer.decode(std::vector<int>{49406, 320, 2368, 49407}, true), "a cat");
  EXPECT_EQ(tokenizer.decode(std::vector<int>{-1, 320, 1 << 20}), "a");
  EXPECT_EQ(tokenizer.decode({}), "");
}

// A word of a million letters must not take quadratic time.
TEST(ClipTokenizer, long_words_are_linear) {
  const std::string text(1000000, 'a');
  const std::vector<int> ids = ClipTokenizer::standard().encode(text);
  EXPECT_EQ(ClipTokenizer::standard().decode(ids), text);
}

// Added tokens: the longest that starts first; normalised ones are found whatever their case.
TEST(ClipTokenizer, added_tokens_are_found_in_the_text) {
  const std::vector<AddedToken> words = {
      {.content = "<cat-toy>", .id = 49408, .normalized = true, .special = false},
      {.content = "<cat-toy>_1", .id = 49409, .normalized = true, .special = false},
      {.content = "Cat", .id = 49410, .normalized = true, .special = false}};
  const ClipTokenizer tokenizer = ClipTokenizer::standard().with_added_tokens(words);
  EXPECT_EQ(tokenizer.encode("a <cat-toy> b"), (std::vector<int>{320, 49408, 321}));
  EXPECT_EQ(tokenizer.encode("a <CAT-toy> b"), (std::vector<int>{320, 49408, 321}));
  EXPECT_EQ(tokenizer.encode("a <cat-toy>_1"), (std::vector<int>{320, 49409}));
  EXPECT_EQ(tokenizer.encode("concatenate"), (std::vector<int>{2457, 49410, 524, 671}));
  EXPECT_EQ(tokenizer.vocabulary_size(), 49411);
  EXPECT_EQ(tokenizer.decode(std::vector<int>{320, 49408, 321}), "a <cat-toy>b");
  EXPECT_EQ(tokenizer.without_added_tokens().encode("cat"), (std::vector<int>{2368}));
}

// A folder of a small vocabulary made on the spot: one letter words, "!" as the pad token as in SD2 and SDXL.
class ClipTokenizerFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void write(const char* file, std::string_view text) { write_file_atomically(folder_ / file, text); }
  Error load_error() {
    const Result<ClipTokenizer> tokenizer = ClipTokenizer::load(folder_);
    return tokenizer ? Error(ErrorCode::failed, "it was read") : tokenizer.error();
  }

  static constexpr std::string_view kVocab =
      R"({"!": 0, "a": 1, "b": 2, "!</w>": 3, "a</w>": 4, "b</w>": 5, "ab</w>": 6, "<|startoftext|>": 7, "<|endoftext|>": 8})";
  fs::path folder_;
};

TEST_F(ClipTokenizerFolder, reads_vocab_and_merges) {
  write("vocab.json", kVocab);
  write("merges.txt", "#version: 0.2\r\na b</w>\r\n");
  const ClipTokenizer tokenizer = ClipTokenizer::load(folder_).take();
  EXPECT_EQ(tokenizer.encode("AB a <|endoftext|>!"), (std::vector<int>{6, 4, 8, 3}));
  EXPECT_EQ(tokenizer.encode("ac"), (std::vector<int>{1, 8}));  // no token for c: the unknown token
  EXPECT_EQ(tokenizer.pad_id(), 8);
}

TEST_F(ClipTokenizerFolder, a_pad_token_is_cut_out_of_the_text) {
  write("vocab.json", kVocab);
  write("merges.txt", "a b</w>\n");
  write(
      "special_tokens_map.json",
      R"({"bos_token": {"content": "<|startoftext|>", "normalized": true}, "eos_token": {"content": "<|endoftext|>", "normalized": true}, "pad_token": "!"})");
  write("tokenizer_config.json", R"({"pad_token": "<|endoftext|>", "model_max_length": 77})");
  const ClipTokenizer tokenizer = ClipTokenizer::load(folder_).take();
  EXPECT_EQ(tokenizer.pad_id(), 0);
  EXPECT_EQ(tokenizer.encode("ab!!"), (std::vector<int>{6, 0, 0}));
  EXPECT_EQ(tokenizer.encode("<|EndOfText|>"), (std::vector<int>{8}));
  EXPECT_EQ(tokenizer.without_added_tokens().encode("ab!"), (std::vector<int>{6, 3}));
}

TEST_F(ClipTokenizerFolder, added_tokens_decoder_decides_first) {
  write("vocab.json", kVocab);
  write("merges.txt", "a b</w>\n");
  write("tokenizer_config.json",
        R"({"added_tokens_decoder": {"0": {"content": "!", "normalized": false, "special": true},
            "8": {"content": "<|endoftext|>", "normalized": true, "special": true}},
            "eos_token": "<|endoftext|>", "pad_token": "!", "bos_token": "<|startoftext|>"})");
  const ClipTokenizer tokenizer = ClipTokenizer::load(folder_).take();
  EXPECT_EQ(tokenizer.encode("a! <|ENDOFTEXT|>"), (std::vector<int>{4, 0, 8}));
}

TEST_F(ClipTokenizerFolder, reads_tokenizer_json_alone) {
  const std::string model =
      std::string(R"({"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": )") +
      std::string(kVocab) + R"(, "merges": )";
  for (const char* merges : {R"([["a", "b</w>"]]})", R"(["a b</w>"]})"}) {
    write("tokenizer.json",
          model + merges +
              R"(, "added_tokens": [{"id": 8, "content": "<|endoftext|>", "normalized": false}]})");
    const ClipTokenizer tokenizer = ClipTokenizer::load(folder_).take();
    EXPECT_EQ(tokenizer.encode("ab b <|endoftext|>"), (std::vector<int>{6, 5, 8})) << merges;
  }
}

TEST_F(ClipTokenizerFolder, a_folder_without_a_vocabulary_is_an_error) {
  EXPECT_EQ(load_error().code(), ErrorCode::not_found);
  write("vocab.json", kVocab);
  EXPECT_EQ(load_error().code(), ErrorCode::not_found);
}

TEST_F(ClipTokenizerFolder, damaged_files_are_errors) {
  write("vocab.json", kVocab);
  for (const char* merges : {"a\n", "a b c\n", "a x\n", "b b\n", " a\n", "a \n"}) {
    write("merges.txt", merges);
    EXPECT_EQ(load_error().code(), ErrorCode::bad_file) << merges;
  }
  write("merges.txt", "a b</w>\n");
  const std::string marks = R"("<|startoftext|>": 7, "<|endoftext|>": 8, )";
  for (const std::string& vocab :
       {std::string("{"), std::string("[]"), std::string("{}"), std::string("7"), "{" + marks + R"("a": -1})",
        "{" + marks + R"("a": 7})", "{" + marks + R"("a": 4294967296})", "{" + marks + R"("a": 1.5})",
        "{" + marks + R"("a": "1"})", "{" + marks + R"("a": null})", "{" + marks + R"("a": true})",
        "{" + marks + R"("a": 1, "a": 2})", "{" + marks + R"("": 1})",
        "{" + marks + "\"" + std::string(5000, 'a') + "\": 1}", std::string(100000, '{')}) {
    write("vocab.json", vocab);
    EXPECT_EQ(load_error().code(), ErrorCode::bad_file) << vocab.substr(0, 80);
  }
  write("vocab.json", kVocab);
  write("tokenizer_config.json", "[]");
  EXPECT_EQ(load_error().code(), ErrorCode::bad_file);
  write("tokenizer_config.json", std::string(1 << 20, ' ') + "{}");
  EXPECT_EQ(load_error().code(), ErrorCode::bad_file);
}

}  // namespace
}  // namespace maquette::text
