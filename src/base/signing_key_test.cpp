#include "base/signing_key.h"

#include <gtest/gtest.h>

#include "base/identifiers.h"

namespace maquette {
namespace {

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// RFC 8032, section 7.1, test 2.
TEST(SigningKey, signs_as_the_standard_says) {
  const SigningKey key =
      SigningKey::from_seed(bytes_of("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
          .take();
  EXPECT_EQ(lower_hex(key.public_key()), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(lower_hex(key.sign("\x72")),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_FALSE(SigningKey::from_seed("short"));
}

TEST(SigningKey, knows_what_it_signed) {
  const SigningKey key = SigningKey::generate();
  const std::string signature = key.sign("sea");
  EXPECT_TRUE(verify_ed25519(key.public_key(), "sea", signature));
  EXPECT_FALSE(verify_ed25519(key.public_key(), "see", signature));
  EXPECT_FALSE(verify_ed25519(SigningKey::generate().public_key(), "sea", signature));
  EXPECT_FALSE(verify_ed25519(key.public_key(), "sea", signature.substr(1)));
  EXPECT_FALSE(verify_ed25519("", "sea", signature));
}

TEST(SigningKey, is_written_encrypted_and_read_with_its_passphrase_only) {
  const SigningKey key = SigningKey::generate();
  const std::string pem = key.pem("open sesame");
  EXPECT_TRUE(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")) << pem;
  EXPECT_EQ(SigningKey::from_pem(pem, "open sesame").take().public_key(), key.public_key());
  EXPECT_FALSE(SigningKey::from_pem(pem, "open"));
  EXPECT_FALSE(SigningKey::from_pem("no key", ""));
  EXPECT_THROW(key.pem(""), Error);
}

}  // namespace
}  // namespace maquette
