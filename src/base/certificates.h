// Keys and certificates that sign what leaves the studio: a chain for development is made here, the studio's
// own is checked, and private keys are only ever written encrypted. The one place that knows X.509.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace maquette {

// What a certificate says, for people.
struct CertificateFacts {
  std::string subject;  // "CN=..., O=..."
  std::string issuer;
  std::string not_before;  // "2026-11-24T00:00:00Z"
  std::string not_after;
  std::string algorithm;  // COSE's name of what its key signs: es256, es384, es512, ps256 or ed25519
  std::string sha256;     // of its DER bytes, lower-case hexadecimal
  bool is_authority = false;
  bool expired = false;  // or not valid yet
};

// The certificates of a PEM text in their order, 16 at most. Other PEM blocks are passed over.
Result<std::vector<CertificateFacts>> read_certificates(std::string_view pem);

// Whether C2PA lets this chain (leaf first) sign: C2PA 2.2, 14.5.1. The leaf is no authority, may make
// digital signatures (key usage), has the purpose c2pa-kp-claimSigning or emailProtection (extended key
// usage), is valid today and was not signed by itself. Throws Error(bad_file) naming the rule that is broken.
void check_signing_chain(std::string_view chain_pem);

// A private key in memory.
class PrivateKey {
 public:
  // Throws Error(bad_file) for what is no key of a kind that signs, Error(refused) where the passphrase is
  // wrong.
  static PrivateKey open(std::string_view pem, std::string_view passphrase);
  static PrivateKey create_p256();
  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();

  std::string algorithm() const;  // as CertificateFacts::algorithm
  // The signature as COSE wants it (RFC 9053): two numbers of equal length for elliptic curves, not DER.
  std::string sign(std::string_view bytes) const;
  bool belongs_to(std::string_view certificate_pem) const;
  // PKCS #8, encrypted by PBES2 with scrypt (N 16384, r 8, p 1: 16 MiB) and AES-256. A passphrase of less
  // than eight bytes is an Error(usage).
  std::string encrypted_pem(std::string_view passphrase) const;

  struct State;
  const State& state() const { return *state_; }

 private:
  explicit PrivateKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A signature as signing programs write it (DER for elliptic curves) in COSE's form; what has that form
// already stays as it is. `algorithm` as above. Throws Error(bad_file) where it has neither form.
std::string cose_signature(std::string_view algorithm, std::string_view signature);

// A root and, signed by it, a certificate for signing. The root's key is forgotten: it can sign nothing else.
struct DevelopmentChain {
  PrivateKey key;
  std::string chain_pem;  // leaf, root
  std::string root_pem;   // what others must trust
};
// `organisation` is what the certificates say; both are valid for `days` from today.
DevelopmentChain create_development_chain(const std::string& organisation, int days);

}  // namespace maquette
