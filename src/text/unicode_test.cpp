#include "text/unicode.h"

#include <gtest/gtest.h>

#include "text/clip_split.h"

namespace maquette::text {
namespace {

TEST(Unicode, every_character_survives_utf8) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(text, c);
    const DecodedCharacter decoded = decode_utf8(text, 0);
    ASSERT_EQ(decoded.character, c);
    ASSERT_EQ(decoded.length, text.size());
  }
}

// One replacement for each maximal damaged part (Unicode 15, section 3.9, table 3-8).
TEST(Unicode, damaged_utf8) {
  const std::pair<std::string_view, int> cases[] = {{"\x80", 1},
                                                    {"\xC0\xAF", 2},
                                                    {"\xE0\x80\xBF", 3},
                                                    {"\xED\xA0\x80", 3},
                                                    {"\xF4\x91\x92\x93", 4},
                                                    {"\xE1\x80", 1},
                                                    {"\xF1\x91\x92", 1},
                                                    {"\xE2\x82\xE2\x82\xAC", 1},
                                                    {"\xFF\xFE", 2}};
  for (const auto& [bytes, replacements] : cases) {
    const std::string valid = to_valid_utf8(bytes);
    int found = 0;
    for (size_t i = 0; i < valid.size();) {
      const DecodedCharacter c = decode_utf8(valid, i);
      found += c.character == 0xFFFD;
      i += c.length;
    }
    EXPECT_EQ(found, replacements);
  }
}

TEST(Unicode, classes) {
  for (const char32_t c : {U'a', U'Z', U'é', U'日', U'ª', U'\u1C89', U'\U0002EBF0'}) {
    EXPECT_EQ(classify(c), CharacterClass::letter) << static_cast<unsigned>(c);
  }
  for (const char32_t c : {U'0', U'½', U'Ⅳ', U'٣', U'\U00010D40'})
    EXPECT_EQ(classify(c), CharacterClass::number);
  for (const char32_t c : {U' ', U'\n', U'\u0085', U'\u00A0', U'\u3000', U'\u2028'}) {
    EXPECT_EQ(classify(c), CharacterClass::space);
  }
  for (const char32_t c : {U'!', U'\0', U'\u0301', U'\u200B', U'🙂', U'\x1C', U'\uE000'}) {
    EXPECT_EQ(classify(c), CharacterClass::other);
  }
  EXPECT_TRUE(is_python_space(U'\x1C'));
  EXPECT_TRUE(is_word_character(U'_'));
  EXPECT_FALSE(is_word_character(U'-'));
}

TEST(Unicode, normalisation) {
  EXPECT_EQ(normalize("A  B\t\nC"), "a b c");
  EXPECT_EQ(normalize("CAFE\u0301 \u00C9"), "caf\u00E9 \u00E9");
  EXPECT_EQ(normalize("\u0130\u03A3"), "i\u0307\u03C3");
  EXPECT_EQ(normalize("\u1100\u1161\u11A8"), "\uAC01");
  EXPECT_EQ(normalize("\uAC00\u11A7"), "\uAC00\u11A7");
  EXPECT_EQ(normalize("q\u0307\u0323"), "q\u0323\u0307");
  EXPECT_EQ(normalize(std::string_view("a\0b", 3)), std::string_view("a\0b", 3));
}

// A run of marks longer than any script has is ordered all the same, and not in quadratic time.
TEST(Unicode, long_runs_of_marks) {
  std::string mixed = "q";
  std::string ordered = "q";
  for (int i = 0; i < 100000; ++i) mixed += "\u0307\u0323";
  for (int i = 0; i < 100000; ++i) ordered += "\u0323";
  for (int i = 0; i < 100000; ++i) ordered += "\u0307";
  EXPECT_EQ(normalize(mixed), ordered);
}

TEST(ClipSplit, words_numbers_and_the_rest) {
  using Words = std::vector<std::string_view>;
  EXPECT_EQ(split_words("a cat's 12 !? b"), (Words{"a", "cat", "'s", "1", "2", "!?", "b"}));
  EXPECT_EQ(split_words("'s'sword !'s"), (Words{"'s", "'s", "word", "!'", "s"}));
  EXPECT_EQ(split_words("we're i'll x'd 'x"), (Words{"we", "'re", "i", "'ll", "x", "'d", "'", "x"}));
  EXPECT_EQ(split_words("<|endoftext|>"), (Words{"<|", "endoftext", "|>"}));
  EXPECT_EQ(split_words("!<|endoftext|>"), (Words{"!<|", "endoftext", "|>"}));
  EXPECT_EQ(split_words("  "), Words());
}

}  // namespace
}  // namespace maquette::text
