#include "base/hash.h"

#include <algorithm>
#include <array>
#include <openssl/evp.h>

#include "base/file.h"

namespace maquette {

struct Sha256::State {
  EVP_MD_CTX* context = nullptr;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  state_->context = EVP_MD_CTX_new();
  if (!state_->context || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1) {
    throw Error(ErrorCode::failed, "cannot start a SHA-256 sum");
  }
}

Sha256::~Sha256() { EVP_MD_CTX_free(state_->context); }

void Sha256::update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

void Sha256::update(std::string_view text) { EVP_DigestUpdate(state_->context, text.data(), text.size()); }

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, digest.data(), &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

Digest sha256(std::string_view bytes) {
  // Looking an algorithm up takes longer than a small sum: once for the process.
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Digest digest{};
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  if (!algorithm || EVP_Digest(bytes.data(), bytes.size(), out, nullptr, algorithm, nullptr) != 1)
    throw Error(ErrorCode::failed, "cannot compute a SHA-256 sum");
  return digest;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 sum;
  sum.update(bytes);
  return sum.hex();
}

std::string sha256_hex(std::string_view text) {
  Sha256 sum;
  sum.update(text);
  return sum.hex();
}

std::string sha256_hex_of_file(const std::filesystem::path& path) {
  const MappedFile file = MappedFile::open(path).take();
  return sha256_hex(file.bytes());
}

bool is_sha256(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 64 && std::ranges::all_of(text, is_digit);
}

}  // namespace maquette
