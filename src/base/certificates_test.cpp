#include "base/certificates.h"

#include <functional>
#include <gtest/gtest.h>

namespace maquette {

namespace {

constexpr std::string_view kPassphrase = "correct horse";

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::cancelled;
}

TEST(Certificates, ADevelopmentChainMaySign) {
  const DevelopmentChain chain = create_development_chain("Studio of the tests", 30);
  check_signing_chain(chain.chain_pem);
  const auto facts = read_certificates(chain.chain_pem).take();
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_EQ(facts[0].subject, "O=Studio of the tests, CN=Maquette development signer");
  EXPECT_EQ(facts[0].issuer, facts[1].subject);
  EXPECT_EQ(facts[0].algorithm, "es256");
  EXPECT_EQ(facts[0].sha256.size(), 64U);
  EXPECT_FALSE(facts[0].is_authority);
  EXPECT_TRUE(facts[1].is_authority);
  EXPECT_FALSE(facts[0].expired);
  EXPECT_TRUE(chain.key.belongs_to(chain.chain_pem));
  EXPECT_FALSE(PrivateKey::create_p256().belongs_to(chain.chain_pem));
}

TEST(Certificates, ChainsThatC2paRefusesAreRefusedHere) {
  const DevelopmentChain one = create_development_chain("One", 30);
  const DevelopmentChain other = create_development_chain("Other", 30);
  const std::string leaf = one.chain_pem.substr(0, one.chain_pem.size() - one.root_pem.size());
  for (const std::string& chain : {std::string(), one.root_pem, one.root_pem + leaf, leaf + other.root_pem,
                                   create_development_chain("Old", -1).chain_pem}) {
    EXPECT_EQ(code_of([&] { check_signing_chain(chain); }), ErrorCode::bad_file);
  }
}

TEST(Certificates, PrivateKeysAreEncryptedAndOpenWithTheirPassphraseOnly) {
  const PrivateKey key = PrivateKey::create_p256();
  const std::string pem = key.encrypted_pem(kPassphrase);
  EXPECT_TRUE(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")) << pem;
  EXPECT_EQ(PrivateKey::open(pem, kPassphrase).algorithm(), "es256");
  EXPECT_EQ(code_of([&] { PrivateKey::open(pem, "correct house"); }), ErrorCode::refused);
  EXPECT_EQ(code_of([&] { PrivateKey::open(pem, ""); }), ErrorCode::refused);
  EXPECT_EQ(code_of([&] { PrivateKey::open("no key", kPassphrase); }), ErrorCode::bad_file);
  EXPECT_EQ(code_of([&] { static_cast<void>(key.encrypted_pem("short")); }), ErrorCode::usage);
}

TEST(Certificates, SignaturesHaveTheFormOfCose) {
  const std::string signature = PrivateKey::create_p256().sign("a claim");
  EXPECT_EQ(signature.size(), 64U);
  EXPECT_EQ(cose_signature("es256", signature), signature);
  // Two small numbers in DER: SEQUENCE { INTEGER 1, INTEGER 2 }.
  const std::string raw = cose_signature("es256", std::string("\x30\x06\x02\x01\x01\x02\x01\x02", 8));
  EXPECT_EQ(raw, std::string(31, '\0') + '\1' + std::string(31, '\0') + '\2');
  EXPECT_EQ(code_of([] { static_cast<void>(cose_signature("es256", "what")); }), ErrorCode::bad_file);
  EXPECT_EQ(code_of([] { static_cast<void>(cose_signature("ed25519", "")); }), ErrorCode::bad_file);
}

}  // namespace

}  // namespace maquette
