// Ed25519 (RFC 8032): keys that sign, and checking what they signed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace maquette {

// A private key. Movable; its memory is cleared when it goes.
class SigningKey {
 public:
  static SigningKey generate();
  // 32 bytes; anything else is an Error(bad_file). The same seed is the same key.
  static Result<SigningKey> from_seed(std::string_view seed);
  // PKCS #8 as PEM. An encrypted key with a wrong passphrase, and other kinds of keys, are an
  // Error(bad_file).
  static Result<SigningKey> from_pem(std::string_view pem, std::string_view passphrase);

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

  std::string public_key() const;                    // 32 bytes
  std::string sign(std::string_view message) const;  // 64 bytes
  // Encrypted with AES-256 under the passphrase, which must not be empty (Error(usage)).
  std::string pem(std::string_view passphrase) const;

 private:
  struct State;
  explicit SigningKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// False as well where the key or the signature are no such things.
bool verify_ed25519(std::string_view public_key, std::string_view message, std::string_view signature);

}  // namespace maquette
