// X.509 (RFC 5280) through OpenSSL; the purposes are those of C2PA 2.2, section 14.5.
#include "base/certificates.h"

#include <algorithm>
#include <ctime>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <optional>

#include "base/hash.h"
#include "base/identifiers.h"

namespace maquette {

namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

constexpr size_t kMaxCertificates = 16;
constexpr size_t kMinPassphrase = 8;
constexpr size_t kMaxPem = 1 << 20;
constexpr const char* kClaimSigning = "1.3.6.1.4.1.62558.2.1";  // c2pa-kp-claimSigning

// How a key signs: COSE's name, OpenSSL's name of the curve (empty for others), the digest, the bytes of one
// of the two numbers of a signature.
struct Algorithm {
  std::string_view name;
  std::string_view curve;
  const char* digest;
  size_t number_bytes;
};
constexpr Algorithm kAlgorithms[] = {{"es256", "prime256v1", "SHA256", 32},
                                     {"es384", "secp384r1", "SHA384", 48},
                                     {"es512", "secp521r1", "SHA512", 66},
                                     {"ps256", "", "SHA256", 0},
                                     {"ed25519", "", nullptr, 0}};

const Algorithm* algorithm_named(std::string_view name) {
  const Algorithm* found = std::ranges::find(kAlgorithms, name, &Algorithm::name);
  return found == std::end(kAlgorithms) ? nullptr : found;
}

const Algorithm* algorithm_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA")) return EVP_PKEY_get_bits(key) < 2048 ? nullptr : algorithm_named("ps256");
  if (EVP_PKEY_is_a(key, "ED25519")) return algorithm_named("ed25519");
  if (!EVP_PKEY_is_a(key, "EC")) return nullptr;
  char curve[64] = {};
  size_t size = 0;
  if (EVP_PKEY_get_group_name(key, curve, sizeof curve, &size) != 1) return nullptr;
  const Algorithm* found = std::ranges::find(kAlgorithms, std::string_view(curve), &Algorithm::curve);
  return found == std::end(kAlgorithms) ? nullptr : found;
}

void need(bool done, const char* what) {
  if (done) return;
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  throw Error(ErrorCode::failed, "cannot {}", what).with("found", reason ? reason : "an error of OpenSSL");
}

Bio reading(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

std::vector<Certificate> parse_certificates(std::string_view pem) {
  std::vector<Certificate> found;
  if (pem.size() > kMaxPem) return found;
  const Bio bio = reading(pem);
  while (found.size() < kMaxCertificates) {
    Certificate next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    found.push_back(std::move(next));
  }
  ERR_clear_error();  // the end of the text is an error to OpenSSL
  return found;
}

std::string name_text(const X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SPC_EQ);
  return written(bio.get());
}

std::string time_text(const ASN1_TIME* time) {
  std::tm tm{};
  if (ASN1_TIME_to_tm(time, &tm) != 1) return "";
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  return text;
}

bool valid_today(const X509* certificate) {
  return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
         X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

bool is_self_signed(X509* certificate) { return X509_self_signed(certificate, 0) == 1; }

bool has_purpose(X509* certificate) {
  using Purposes = std::unique_ptr<EXTENDED_KEY_USAGE, Freed<EXTENDED_KEY_USAGE_free>>;
  const Purposes purposes(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  if (!purposes) return false;
  for (int i = 0; i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    const ASN1_OBJECT* purpose = sk_ASN1_OBJECT_value(purposes.get(), i);
    char oid[80] = {};
    OBJ_obj2txt(oid, sizeof oid, purpose, 1);
    if (std::string_view(oid) == kClaimSigning || OBJ_obj2nid(purpose) == NID_email_protect) return true;
  }
  return false;
}

// --- making certificates ---------------------------------------------------------------------------------

struct CertificateRequest {
  std::string common_name;
  std::string organisation;
  int days = 0;
  EVP_PKEY* subject_key = nullptr;
  X509* issuer = nullptr;  // none: it signs itself
  EVP_PKEY* issuer_key = nullptr;
  std::vector<std::pair<int, std::string>> extensions = {};  // OpenSSL's number and its configuration text
};

void add_name(X509_NAME* name, const char* field, const std::string& value) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
  need(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes, static_cast<int>(value.size()), -1, 0) ==
           1,
       "name a certificate");
}

Certificate make_certificate(const CertificateRequest& request) {
  Certificate made(X509_new());
  need(made && X509_set_version(made.get(), X509_VERSION_3) == 1, "make a certificate");
  // Sixteen random bytes, the first bit clear: a positive number (RFC 5280, 4.1.2.2).
  std::string serial = random_bytes(16);
  serial[0] = static_cast<char>(serial[0] & 0x7f);
  BIGNUM* number = BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), 16, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made.get()));
  BN_free(number);
  // A minute back, for machines whose clocks are behind.
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
  X509_time_adj_ex(X509_getm_notAfter(made.get()), request.days, 0, nullptr);
  X509_NAME* name = X509_get_subject_name(made.get());
  add_name(name, "O", request.organisation);
  add_name(name, "CN", request.common_name);
  X509* issuer = request.issuer ? request.issuer : made.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
  X509_set_pubkey(made.get(), request.subject_key);
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, made.get(), nullptr, nullptr, 0);
  for (const auto& [number_of, text] : request.extensions) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, number_of, text.c_str());
    need(extension && X509_add_ext(made.get(), extension, -1) == 1, "add to a certificate");
    X509_EXTENSION_free(extension);
  }
  need(X509_sign(made.get(), request.issuer_key, EVP_sha256()) > 0, "sign a certificate");
  return made;
}

std::string certificate_pem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  need(PEM_write_bio_X509(bio.get(), certificate) == 1, "write a certificate");
  return written(bio.get());
}

// DER (two ASN.1 integers) to two big-endian numbers side by side.
std::optional<std::string> numbers_of_der(std::string_view der, size_t number_bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
  const Signature numbers(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  std::string raw(2 * number_bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  const int size = static_cast<int>(number_bytes);
  if (!numbers || BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), out, size) != size ||
      BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), out + size, size) != size)
    return std::nullopt;
  return raw;
}

}  // namespace

// --- reading and checking --------------------------------------------------------------------------------

Result<std::vector<CertificateFacts>> read_certificates(std::string_view pem) {
  std::vector<CertificateFacts> facts;
  for (const Certificate& certificate : parse_certificates(pem)) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate.get(), &der);
    const std::string bytes = size > 0 ? std::string(reinterpret_cast<char*>(der), size_t(size)) : "";
    OPENSSL_free(der);
    const Algorithm* algorithm = algorithm_of(X509_get0_pubkey(certificate.get()));
    facts.push_back({.subject = name_text(X509_get_subject_name(certificate.get())),
                     .issuer = name_text(X509_get_issuer_name(certificate.get())),
                     .not_before = time_text(X509_get0_notBefore(certificate.get())),
                     .not_after = time_text(X509_get0_notAfter(certificate.get())),
                     .algorithm = std::string(algorithm ? algorithm->name : "other"),
                     .sha256 = sha256_hex(bytes),
                     .is_authority = X509_check_ca(certificate.get()) != 0,
                     .expired = !valid_today(certificate.get())});
  }
  if (facts.empty()) {
    return Error(ErrorCode::bad_file, "cannot read a certificate")
        .with("found", "no certificate")
        .with("expected", "PEM: -----BEGIN CERTIFICATE-----");
  }
  return facts;
}

void check_signing_chain(std::string_view chain_pem) {
  const std::vector<Certificate> chain = parse_certificates(chain_pem);
  const auto refuse = [](std::string_view found, std::string_view expected) {
    throw Error(ErrorCode::bad_file, "cannot sign with this certificate")
        .with("found", found)
        .with("expected", expected);
  };
  if (chain.empty()) refuse("no certificate", "PEM, the signing certificate first");
  X509* leaf = chain.front().get();
  if (!algorithm_of(X509_get0_pubkey(leaf)))
    refuse("a key of another kind", "P-256, P-384, P-521, Ed25519, or RSA of 2,048 bits and more");
  if (is_self_signed(leaf))
    refuse("it was signed by itself", "one that an authority has signed, the authority's behind it");
  if (X509_check_ca(leaf) != 0)
    refuse("a certificate of an authority first", "the signing certificate first");
  if ((X509_get_extension_flags(leaf) & EXFLAG_KUSAGE) == 0 ||
      (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)
    refuse("no key usage for digital signatures", "keyUsage = digitalSignature");
  if (!has_purpose(leaf))
    refuse("no purpose that C2PA knows",
           "extendedKeyUsage = c2pa-kp-claimSigning (1.3.6.1.4.1.62558.2.1) or emailProtection");
  if (!valid_today(leaf))
    refuse(fmt::format("valid until {}", time_text(X509_get0_notAfter(leaf))), "valid today");
  // Each is signed by the next one.
  for (size_t i = 0; i + 1 < chain.size(); ++i) {
    if (X509_verify(chain[i].get(), X509_get0_pubkey(chain[i + 1].get())) != 1)
      refuse(fmt::format("certificate {} was not signed by certificate {}", i + 1, i + 2),
             "leaf, intermediates, root");
  }
  ERR_clear_error();
}

// --- private keys ----------------------------------------------------------------------------------------

struct PrivateKey::State {
  Key key;
};

PrivateKey::PrivateKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

PrivateKey PrivateKey::create_p256() {
  auto state = std::make_unique<State>();
  state->key.reset(EVP_EC_gen("P-256"));
  need(state->key != nullptr, "make a key");
  return PrivateKey(std::move(state));
}

PrivateKey PrivateKey::open(std::string_view pem, std::string_view passphrase) {
  const Bio bio = reading(pem);
  const auto give = [](char* buffer, int size, int, void* from) {
    const auto& given = *static_cast<const std::string_view*>(from);
    if (given.size() > static_cast<size_t>(size)) return -1;
    std::ranges::copy(given, buffer);
    return static_cast<int>(given.size());
  };
  auto state = std::make_unique<State>();
  state->key.reset(pem.size() > kMaxPem ? nullptr
                                        : PEM_read_bio_PrivateKey(bio.get(), nullptr, give, &passphrase));
  ERR_clear_error();
  if (!state->key && pem.find("ENCRYPTED") != std::string_view::npos) {
    throw Error(ErrorCode::refused, "cannot open the private key")
        .with("found", passphrase.empty() ? "it is encrypted, and no passphrase was given"
                                          : "a passphrase that does not open it")
        .hint("set MAQUETTE_KEY_PASSPHRASE, or name a file with --passphrase-file");
  }
  if (!state->key || !algorithm_of(state->key.get())) {
    throw Error(ErrorCode::bad_file, "cannot read the private key")
        .with("found", state->key ? "a key of another kind" : "no private key")
        .with("expected", "PEM: P-256, P-384, P-521, Ed25519, or RSA of 2,048 bits and more");
  }
  return PrivateKey(std::move(state));
}

std::string PrivateKey::algorithm() const { return std::string(algorithm_of(state_->key.get())->name); }

std::string PrivateKey::sign(std::string_view bytes) const {
  const Algorithm& algorithm = *algorithm_of(state_->key.get());
  using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
  const Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  need(EVP_DigestSignInit_ex(digest.get(), &options, algorithm.digest, nullptr, nullptr, state_->key.get(),
                             nullptr) == 1,
       "sign");
  if (algorithm.name == "ps256") {
    need(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1,
         "sign");
  }
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t size = 0;
  need(EVP_DigestSign(digest.get(), nullptr, &size, data, bytes.size()) == 1, "sign");
  std::string signature(size, '\0');
  need(EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data,
                      bytes.size()) == 1,
       "sign");
  signature.resize(size);
  return algorithm.number_bytes ? numbers_of_der(signature, algorithm.number_bytes).value() : signature;
}

bool PrivateKey::belongs_to(std::string_view certificate_pem) const {
  const std::vector<Certificate> chain = parse_certificates(certificate_pem);
  const bool same = !chain.empty() && X509_check_private_key(chain.front().get(), state_->key.get()) == 1;
  ERR_clear_error();
  return same;
}

std::string PrivateKey::encrypted_pem(std::string_view passphrase) const {
  if (passphrase.size() < kMinPassphrase) {
    throw Error(ErrorCode::usage, "cannot encrypt the private key")
        .with("found", fmt::format("a passphrase of {} bytes", passphrase.size()))
        .with("expected", fmt::format("{} at least", kMinPassphrase))
        .hint("set MAQUETTE_KEY_PASSPHRASE, or name a file with --passphrase-file");
  }
  using Plain = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO_free>>;
  using Encrypted = std::unique_ptr<X509_SIG, Freed<X509_SIG_free>>;
  const Plain plain(EVP_PKEY2PKCS8(state_->key.get()));
  std::string salt = random_bytes(16);
  X509_ALGOR* scheme = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), reinterpret_cast<unsigned char*>(salt.data()),
                                             static_cast<int>(salt.size()), nullptr, 16384, 8, 1);
  need(plain && scheme, "encrypt the private key");
  // Takes the scheme over.
  const Encrypted encrypted(
      PKCS8_set0_pbe(passphrase.data(), static_cast<int>(passphrase.size()), plain.get(), scheme));
  const Bio bio(BIO_new(BIO_s_mem()));
  need(encrypted && PEM_write_bio_PKCS8(bio.get(), encrypted.get()) == 1, "encrypt the private key");
  return written(bio.get());
}

std::string cose_signature(std::string_view algorithm, std::string_view signature) {
  const Algorithm* known = algorithm_named(algorithm);
  const size_t number = known ? known->number_bytes : 0;
  if (number == 0 && !signature.empty()) return std::string(signature);
  if (signature.size() == 2 * number && number != 0) return std::string(signature);
  if (const auto raw = number ? numbers_of_der(signature, number) : std::nullopt) return *raw;
  throw Error(ErrorCode::bad_file, "cannot use the signature")
      .with("found", fmt::format("{} bytes", signature.size()))
      .with("expected", fmt::format("a signature of {} in DER, or {} bytes", algorithm, 2 * number));
}

DevelopmentChain create_development_chain(const std::string& organisation, int days) {
  const PrivateKey root_key = PrivateKey::create_p256();
  PrivateKey leaf_key = PrivateKey::create_p256();
  EVP_PKEY* root_secret = root_key.state().key.get();
  const Certificate root = make_certificate({.common_name = "Maquette development root",
                                             .organisation = organisation,
                                             .days = days,
                                             .subject_key = root_secret,
                                             .issuer_key = root_secret,
                                             .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                                                            {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                                            {NID_subject_key_identifier, "hash"}}});
  const std::string purposes = fmt::format("{},emailProtection", kClaimSigning);
  const Certificate leaf = make_certificate({.common_name = "Maquette development signer",
                                             .organisation = organisation,
                                             .days = days,
                                             .subject_key = leaf_key.state().key.get(),
                                             .issuer = root.get(),
                                             .issuer_key = root_secret,
                                             .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                                                            {NID_key_usage, "critical,digitalSignature"},
                                                            {NID_ext_key_usage, purposes},
                                                            {NID_subject_key_identifier, "hash"},
                                                            {NID_authority_key_identifier, "keyid"}}});
  const std::string root_pem = certificate_pem(root.get());
  return {
      .key = std::move(leaf_key), .chain_pem = certificate_pem(leaf.get()) + root_pem, .root_pem = root_pem};
}

}  // namespace maquette
