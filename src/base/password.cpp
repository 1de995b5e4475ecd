#include "base/password.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <semaphore>

#include "base/error.h"
#include "base/identifiers.h"

namespace maquette {

namespace {

constexpr uint32_t kMemoryKiB = 19 * 1024;
constexpr uint32_t kPasses = 2;
constexpr uint32_t kLanes = 1;
constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;

// 4 x 19 MiB at most.
std::counting_semaphore<4> g_turns(4);

class Turn {
 public:
  Turn() { g_turns.acquire(); }
  ~Turn() { g_turns.release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

}  // namespace

std::string hash_password(std::string_view password) {
  const std::string salt = random_bytes(kSaltBytes);
  std::string text(argon2_encodedlen(kPasses, kMemoryKiB, kLanes, kSaltBytes, kHashBytes, Argon2_id), '\0');
  const Turn turn;
  const int status = argon2id_hash_encoded(kPasses, kMemoryKiB, kLanes, password.data(), password.size(),
                                           salt.data(), salt.size(), kHashBytes, text.data(), text.size());
  if (status != ARGON2_OK)
    throw Error(ErrorCode::failed, "cannot hash a password").with("found", argon2_error_message(status));
  text.resize(text.find('\0'));
  return text;
}

bool verify_password(const std::string& phc, std::string_view password) {
  if (!phc.starts_with("$argon2id$")) return false;
  const Turn turn;
  return argon2id_verify(phc.c_str(), password.data(), password.size()) == ARGON2_OK;
}

void verify_nobody(std::string_view password) {
  static const std::string nobody = hash_password(random_bytes(kSaltBytes));
  verify_password(nobody, password);
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hmac_sha256_hex(std::string_view key, std::string_view text) {
  std::string sum(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
            reinterpret_cast<const unsigned char*>(text.data()), text.size(),
            reinterpret_cast<unsigned char*>(sum.data()), &size)) {
    throw Error(ErrorCode::failed, "cannot compute a checksum with a key");
  }
  return lower_hex(std::string_view(sum).substr(0, size));
}

}  // namespace maquette
