#include "text/folding.h"

#include <gtest/gtest.h>

namespace maquette::text {
namespace {

using Words = std::vector<std::string>;

TEST(Folding, WordsLoseCaseDiacriticsAndForms) {
  EXPECT_EQ(folded_words("Zoë O'NEILL"), (Words{"zoe", "o", "neill"}));
  EXPECT_EQ(folded_words("Łukasz Żółć, Søren"), (Words{"lukasz", "zolc", "soren"}));
  EXPECT_EQ(folded_words("STRASSE straße"), (Words{"strasse", "strasse"}));
  EXPECT_EQ(folded_words("Ｆｕｌｌ ﬁne"), (Words{"full", "fine"})) << "compatibility forms";
  EXPECT_EQ(folded_words("Zoe\u0308"), folded_words("Zoë")) << "composed or not";
  EXPECT_EQ(folded_words("ma\u200Bler\u00AD"), Words{"maler"}) << "what cannot be seen hides nothing";
}

TEST(Folding, WeightsAndNumbersAreWordsOfTheirOwn) {
  EXPECT_EQ(folded_words("(zoe:1.2) maler2"), (Words{"zoe", "1", "2", "maler", "2"}));
  EXPECT_EQ(folded_words("greg_rutkowski"), (Words{"greg", "rutkowski"}));
}

TEST(Folding, ScriptsWithoutSpacesAreCutIntoLetters) {
  EXPECT_EQ(folded_words("宮崎駿風"), (Words{"宮", "崎", "駿", "風"}));
  EXPECT_EQ(folded_words("김 화가"), (Words{"김", "화", "가"}));
}

TEST(Folding, NothingAndDamagedTexts) {
  EXPECT_EQ(folded_words(""), Words{});
  EXPECT_EQ(folded_words(" .,!"), Words{});
  EXPECT_EQ(folded_words("a\xff\xfe z"), (Words{"a", "z"}));
}

}  // namespace
}  // namespace maquette::text
