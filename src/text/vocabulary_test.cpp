#include "text/vocabulary.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "text/embedded_merges.h"

namespace maquette::text {
namespace {

TEST(Vocabulary, the_embedded_list_is_the_published_one) {
  EXPECT_EQ(sha256_hex(embedded_merges()),
            "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a");
  EXPECT_EQ(embedded_merges(), read_text_file("data/clip/merges.txt").take());
}

// Numbers from the published vocab.json.
TEST(Vocabulary, numbers_follow_from_the_merges) {
  const Vocabulary vocabulary = Vocabulary::from_merges(embedded_merges(), "of the program").take();
  EXPECT_EQ(vocabulary.size(), 49408);
  const std::pair<const char*, int> known[] = {
      {"!", 0},       {"~", 93},      {"\u00A1", 94},    {"\u0100", 188},         {"\u0143", 255},
      {"!</w>", 256}, {"a</w>", 320}, {"in", 512},       {"jekyll</w>", 49405},   {"<|startoftext|>", 49406},
      {",</w>", 267}, {"th", 513},    {"cat</w>", 2368}, {"<|endoftext|>", 49407}};
  for (const auto& [token, id] : known) {
    EXPECT_EQ(vocabulary.find(token), id) << token;
    EXPECT_EQ(vocabulary.token(id), token);
  }
  EXPECT_FALSE(vocabulary.find("no such token"));
  EXPECT_EQ(vocabulary.token(-1), "");
  EXPECT_EQ(vocabulary.token(49408), "");
}

TEST(Vocabulary, merges_have_ranks) {
  const Vocabulary vocabulary = Vocabulary::from_merges(embedded_merges(), "of the program").take();
  const auto first = vocabulary.merge(*vocabulary.find("i"), *vocabulary.find("n"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->rank, 0);
  EXPECT_EQ(first->token, 512);
  EXPECT_FALSE(vocabulary.merge(*vocabulary.find("q"), *vocabulary.find("q</w>")));
}

TEST(Vocabulary, merges_of_unknown_tokens_are_refused) {
  EXPECT_TRUE(Vocabulary::from_merges("#version: 0.2\na b\nab c</w>\n", "t"));
  for (const char* merges : {"ab c\n", "a b\na b\n", "a\n", "a  b\n", "\xFF b\n"}) {
    const Result<Vocabulary> vocabulary = Vocabulary::from_merges(merges, "t");
    ASSERT_FALSE(vocabulary) << merges;
    EXPECT_EQ(vocabulary.error().code(), ErrorCode::bad_file);
  }
}

TEST(Vocabulary, stand_ins_are_a_bijection) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string_view character = stand_in(static_cast<unsigned char>(byte));
    ASSERT_FALSE(character.empty());
    const char32_t code = character.size() == 1 ? static_cast<unsigned char>(character[0])
                                                : (static_cast<unsigned char>(character[0]) & 0x1Fu) << 6 |
                                                      (static_cast<unsigned char>(character[1]) & 0x3Fu);
    EXPECT_EQ(byte_of_stand_in(code), byte);
  }
  EXPECT_EQ(byte_of_stand_in(' '), 256);
  EXPECT_EQ(byte_of_stand_in(0x10FFFF), 256);
}

}  // namespace
}  // namespace maquette::text
