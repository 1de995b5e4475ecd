#include "base/password.h"

#include <gtest/gtest.h>

namespace maquette {
namespace {

TEST(Password, IsKeptAsArgon2idWithASaltOfItsOwn) {
  const std::string first = hash_password("correct horse");
  EXPECT_TRUE(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << first;
  EXPECT_NE(first, hash_password("correct horse"));
  EXPECT_TRUE(verify_password(first, "correct horse"));
  EXPECT_FALSE(verify_password(first, "correct horsf"));
  EXPECT_FALSE(verify_password(first, ""));
}

TEST(Password, NothingFitsAnEmptyOrForeignText) {
  EXPECT_FALSE(verify_password("", ""));
  EXPECT_FALSE(verify_password("plain", "plain"));
  EXPECT_FALSE(verify_password("$argon2id$v=19$m=19456,t=2,p=1$broken", "x"));
  verify_nobody("x");
}

TEST(Password, MayHoldAnyBytes) {
  const std::string odd("a\0b\xff", 4);
  EXPECT_TRUE(verify_password(hash_password(odd), odd));
  EXPECT_FALSE(verify_password(hash_password(odd), "a"));
}

TEST(Secrets, AreComparedWhole) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abc", "abd"));
  EXPECT_FALSE(same_secret("abc", "ab"));
}

// RFC 4231, test case 2.
TEST(Secrets, HmacIsThatOfTheStandard) {
  EXPECT_EQ(hmac_sha256_hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace maquette
