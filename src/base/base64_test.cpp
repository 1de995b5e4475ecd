#include "base/base64.h"

#include <gtest/gtest.h>

namespace maquette {
namespace {

// The vectors of RFC 4648, section 10.
TEST(Base64, writes_and_reads_the_vectors_of_the_standard) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(parse_base64(text), bytes);
  }
  EXPECT_EQ(base64(std::string_view("\xfb\xff\x00", 3)), "+/8A");
}

TEST(Base64, knows_one_spelling_only) {
  for (const char* text :
       {"Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm9vZg= =", "Zm-v", "====", "Z==="})
    EXPECT_FALSE(parse_base64(text)) << text;
}

}  // namespace
}  // namespace maquette
