#include "app/signing_keys.h"

#include <cstdlib>

#include "app/child_process.h"
#include "base/identifiers.h"
#include "base/text.h"

namespace maquette::app {

namespace {

constexpr size_t kMaxFile = 1 << 20;
constexpr std::chrono::seconds kPatience{60};  // somebody may have to touch a token

constexpr const char* kChain = "chain.pem";
constexpr const char* kRoot = "root.pem";
constexpr const char* kKey = "key.pem";
constexpr const char* kCommand = "command";

void refuse_existing(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / kChain, error)) return;
  throw Error(ErrorCode::conflict, "cannot put keys into \"{}\"", folder.string())
      .with("found", "keys that sign already")
      .hint("name another folder with --keys, or move that one away");
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw Error(ErrorCode::failed, "cannot make \"{}\"", folder.string()).with("found", error.message());
  // For the owner alone: the key is encrypted, and nobody needs to try.
  fs::permissions(folder, fs::perms::owner_all, error);
}

Facts facts_of(const fs::path& folder) {
  const std::string chain = read_text_file(folder / kChain, kMaxFile).take();
  std::error_code error;
  const bool by_command = fs::exists(folder / kCommand, error);
  const std::string key =
      by_command ? "a program signs: " + std::string(trim(read_text_file(folder / kCommand, kMaxFile).take()))
                 : (folder / kKey).string() + ", encrypted";
  Facts facts{.json = {{"folder", folder.string()}, {"signs_by", by_command ? "command" : "key"}},
              .lines = {fmt::format("folder      {}", folder.string()), fmt::format("key         {}", key)}};
  Json list = Json::array();
  for (const CertificateFacts& each : read_certificates(chain).take()) {
    list.push_back({{"subject", each.subject},
                    {"issuer", each.issuer},
                    {"not_before", each.not_before},
                    {"not_after", each.not_after},
                    {"algorithm", each.algorithm},
                    {"sha256", each.sha256},
                    {"authority", each.is_authority},
                    {"expired", each.expired}});
    facts.lines.push_back(
        fmt::format("{} {}", each.is_authority ? "authority  " : "certificate", each.subject));
    facts.lines.push_back(fmt::format("  valid     {} to {}{}", each.not_before, each.not_after,
                                      each.expired ? ": not today" : ""));
    facts.lines.push_back(fmt::format("  SHA-256   {}", each.sha256));
  }
  facts.json["certificates"] = list;
  return facts;
}

// The bytes go through a file, so that the program sees their end.
class ScratchFile {
 public:
  explicit ScratchFile(std::string_view bytes)
      : path_(fs::temp_directory_path() / ("maquette-" + new_uuid())) {
    write_file_atomically(path_, bytes);
  }
  ~ScratchFile() {
    std::error_code error;
    fs::remove(path_, error);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string sign_by_command(const std::string& command, const std::string& algorithm,
                            std::string_view bytes) {
  const ScratchFile file(bytes);
  ChildProcess child("/bin/sh", {"-c", "{ " + command + "\n} < \"$0\"", file.path().string()});
  const auto end = std::chrono::steady_clock::now() + kPatience;
  std::string signature;
  while (std::chrono::steady_clock::now() < end && signature.size() < kMaxFile) {
    const auto part = child.read(std::chrono::milliseconds(100));
    if (!part) break;
    signature += *part;
  }
  const bool ended = child.wait(std::chrono::seconds(1));
  if (!ended || child.how_it_ended() != "exit status 0") {
    throw Error(ErrorCode::failed, "the program that signs did not")
        .with("program", command)
        .with("found", ended ? child.how_it_ended() : "no answer");
  }
  return cose_signature(algorithm, signature);
}

}  // namespace

fs::path keys_folder(const std::string& given) {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value ? value : "";
  };
  if (!given.empty()) return given;
  if (const std::string keys = variable("MAQUETTE_KEYS"); !keys.empty()) return keys;
  if (const std::string config = variable("XDG_CONFIG_HOME"); !config.empty())
    return fs::path(config) / "maquette/keys";
  return fs::path(variable("HOME")) / ".config/maquette/keys";
}

std::string key_passphrase(const std::string& file) {
  if (!file.empty()) return split(read_text_file(file, kMaxFile).take(), '\n').front();
  const char* value = std::getenv("MAQUETTE_KEY_PASSPHRASE");
  return value ? value : "";
}

Facts create_keys(const fs::path& folder, const std::string& organisation, int days,
                  const std::string& passphrase) {
  refuse_existing(folder);
  const DevelopmentChain chain = create_development_chain(organisation, days);
  const std::string key = chain.key.encrypted_pem(passphrase);
  make_folder(folder);
  write_file_atomically(folder / kKey, key);
  write_file_atomically(folder / kRoot, chain.root_pem);
  write_file_atomically(folder / kChain, chain.chain_pem);  // last: its presence says that the rest is there
  return facts_of(folder);
}

Facts show_keys(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / kChain, error)) {
    throw Error(ErrorCode::not_found, "no keys in \"{}\"", folder.string())
        .hint("maquette keys create makes some for development, maquette keys import takes in your own");
  }
  return facts_of(folder);
}

Facts import_keys(const ImportedKeys& keys, const std::string& passphrase) {
  if (keys.key.empty() == keys.command.empty())
    throw Error(ErrorCode::usage, "cannot import keys").with("expected", "either --key or --command");
  refuse_existing(keys.folder);
  const std::string chain = read_text_file(keys.chain, kMaxFile).take();
  check_signing_chain(chain);
  std::string encrypted;
  if (!keys.key.empty()) {
    const PrivateKey key = PrivateKey::open(read_text_file(keys.key, kMaxFile).take(), passphrase);
    if (!key.belongs_to(chain)) {
      throw Error(ErrorCode::bad_file, "cannot import the key \"{}\"", keys.key.string())
          .with("found", "the key of another certificate");
    }
    encrypted = key.encrypted_pem(passphrase);
  }
  // The root, where the chain ends in one: what others must trust. Otherwise the highest that is there.
  const size_t last = chain.rfind("-----BEGIN CERTIFICATE-----");
  make_folder(keys.folder);
  if (encrypted.empty()) {
    write_file_atomically(keys.folder / kCommand, keys.command + "\n");
  } else {
    write_file_atomically(keys.folder / kKey, encrypted);
  }
  write_file_atomically(keys.folder / kRoot, std::string_view(chain).substr(last));
  write_file_atomically(keys.folder / kChain, chain);
  return facts_of(keys.folder);
}

marks::Signer open_signer(const fs::path& folder, const std::string& passphrase) {
  show_keys(folder);
  const std::string chain = read_text_file(folder / kChain, kMaxFile).take();
  std::error_code error;
  if (!fs::exists(folder / kCommand, error))
    return marks::signer_of(PrivateKey::open(read_text_file(folder / kKey, kMaxFile).take(), passphrase),
                            chain);
  const std::string command(trim(read_text_file(folder / kCommand, kMaxFile).take()));
  const std::string algorithm = read_certificates(chain).take().front().algorithm;
  return {.algorithm = algorithm, .chain_pem = chain, .sign = [command, algorithm](std::string_view bytes) {
            return sign_by_command(command, algorithm, bytes);
          }};
}

std::string trusted_roots(const std::string& file, const fs::path& folder) {
  if (!file.empty()) {
    const std::string pem = read_text_file(file, kMaxFile).take();
    read_certificates(pem).take();
    return pem;
  }
  std::error_code error;
  return fs::exists(folder / kRoot, error) ? read_text_file(folder / kRoot, kMaxFile).take() : "";
}

}  // namespace maquette::app
