#include "tlog/note.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/hash.h"

namespace maquette::tlog {

namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // em dash, space
constexpr char kEd25519 = 1;
constexpr size_t kPublicKeyBytes = 32;
constexpr size_t kIdBytes = 4;
constexpr size_t kSignatureBytes = 64;

uint32_t big_endian(std::string_view bytes) {
  uint32_t number = 0;
  for (const char c : bytes.substr(0, kIdBytes)) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

std::string big_endian(uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

uint32_t key_id(std::string_view name, std::string_view public_key) {
  const Digest sum = sha256(fmt::format("{}\n{}{}", name, kEd25519, public_key));
  return big_endian({reinterpret_cast<const char*>(sum.data()), sum.size()});
}

// How many bytes the UTF-8 character at the start of `text` has; 0 where there is none. Its code goes into
// `code`.
size_t utf8_character(std::string_view text, uint32_t& code) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t size = byte(0) < 0x80       ? 1
                      : byte(0) >> 5 == 6  ? 2
                      : byte(0) >> 4 == 14 ? 3
                      : byte(0) >> 3 == 30 ? 4
                                           : 0;
  if (size == 0 || size > text.size()) return 0;
  code = size == 1 ? byte(0) : byte(0) & (0x7fu >> size);
  for (size_t i = 1; i < size; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < kSmallest[size] || code > 0x10ffff || surrogate ? 0 : size;
}

// Unicode's white space.
bool is_space(uint32_t code) {
  return code == ' ' || (code >= 9 && code <= 13) || code == 0x85 || code == 0xa0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f ||
         code == 0x205f || code == 0x3000;
}

bool is_note_text(std::string_view text) {
  for (uint32_t code = 0; !text.empty();) {
    const size_t size = utf8_character(text, code);
    if (size == 0 || (code < 0x20 && code != '\n')) return false;
    text.remove_prefix(size);
  }
  return true;
}

bool is_key_name(std::string_view name) {
  if (name.empty()) return false;
  for (uint32_t code = 0; !name.empty();) {
    const size_t size = utf8_character(name, code);
    if (size == 0 || code < 0x20 || code == '+' || is_space(code)) return false;
    name.remove_prefix(size);
  }
  return true;
}

Error bad_key(std::string_view text, std::string_view found) {
  return Error(ErrorCode::bad_file, "\"{}\" is no key of a log", text.substr(0, 200))
      .with("found", found)
      .with("expected", "NAME+8 hexadecimal digits+base64 of an Ed25519 key");
}

Error bad_note(std::string_view name, std::string_view found, std::string_view expected) {
  return Error(ErrorCode::bad_file, "\"{}\" is no signed note", name)
      .with("found", found)
      .with("expected", expected);
}

// "— NAME SIGNATURE" without its newline.
Result<NoteSignature> parse_signature(std::string_view line, std::string_view note_name) {
  const auto bad = [&] {
    return bad_note(note_name, "a line that is no signature", "\"\u2014 NAME SIGNATURE\"");
  };
  if (!line.starts_with(kDash)) return bad();
  line.remove_prefix(kDash.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) return bad();
  const std::optional<std::string> bytes = parse_base64(line.substr(space + 1));
  if (!bytes || bytes->size() <= kIdBytes) return bad();
  return NoteSignature{std::string(line.substr(0, space)), big_endian(*bytes), bytes->substr(kIdBytes)};
}

}  // namespace

std::string VerifierKey::text() const {
  return fmt::format("{}+{:08x}+{}", name, id, base64(std::string(1, kEd25519) + public_key));
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  // Base64 may hold a "+"; names do not.
  const size_t first = text.find('+');
  const size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return bad_key(text, "fewer than three parts");
  VerifierKey key{.name = std::string(text.substr(0, first))};
  if (!is_key_name(key.name)) return bad_key(text, "a name with blanks, or none");
  const std::string_view digits = text.substr(first + 1, second - first - 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), key.id, 16);
  if (error != std::errc() || digits.size() != 8 || end != digits.data() + digits.size() ||
      digits != fmt::format("{:08x}", key.id)) {
    return bad_key(text, "another id than 8 hexadecimal digits");
  }
  const std::optional<std::string> bytes = parse_base64(text.substr(second + 1));
  if (!bytes || bytes->size() != 1 + kPublicKeyBytes || (*bytes)[0] != kEd25519)
    return bad_key(text, "a key of another kind");
  key.public_key = bytes->substr(1);
  if (key.id != key_id(key.name, key.public_key)) return bad_key(text, "an id of another name or key");
  return key;
}

NoteSigner::NoteSigner(std::string name, SigningKey key) : key_(std::move(key)) {
  if (!is_key_name(name)) {
    throw Error(ErrorCode::usage, "a key cannot be called \"{}\"", name)
        .with("expected", "a name without blanks and \"+\", such as studio.example/lanterns");
  }
  verifier_ = {name, key_id(name, key_.public_key()), key_.public_key()};
}

std::string NoteSigner::signature_line(std::string_view text) const {
  return fmt::format("{}{} {}\n", kDash, name(), base64(big_endian(verifier_.id) + key_.sign(text)));
}

Result<Note> parse_note(std::string_view bytes, std::string_view name) {
  if (bytes.size() > kMaxNoteBytes) {
    return bad_note(name, fmt::format("{} bytes", bytes.size()),
                    fmt::format("at most {} bytes", kMaxNoteBytes));
  }
  if (!is_note_text(bytes))
    return bad_note(name, "bytes that are no text", "UTF-8 without control characters");
  // The last empty line parts the text from the signatures.
  const size_t gap = bytes.rfind("\n\n");
  if (gap == std::string_view::npos || !bytes.ends_with('\n') || gap + 2 == bytes.size())
    return bad_note(name, "no signatures", "a text, an empty line, and signatures");

  Note note{.text = std::string(bytes.substr(0, gap + 1))};
  for (std::string_view rest = bytes.substr(gap + 2); !rest.empty();) {
    const size_t end = rest.find('\n');
    Result<NoteSignature> signature = parse_signature(rest.substr(0, end), name);
    if (!signature) return signature.error();
    if (note.signatures.size() == kMaxSignatures)
      return bad_note(name, "more signatures", fmt::format("at most {}", kMaxSignatures));
    note.signatures.push_back(std::move(*signature));
    rest.remove_prefix(end + 1);
  }
  return note;
}

std::string sign_note(std::string_view text, const NoteSigner& signer) {
  return fmt::format("{}\n{}", text, signer.signature_line(text));
}

Result<std::string> add_signature(std::string_view note, const NoteSigner& signer) {
  const Result<Note> parsed = parse_note(note, "note");
  if (!parsed) return parsed.error();
  return std::string(note) + signer.signature_line(parsed->text);
}

Result<std::vector<VerifierKey>> signers_of(const Note& note, std::span<const VerifierKey> keys,
                                            std::string_view name) {
  std::vector<VerifierKey> signers;
  for (const NoteSignature& signature : note.signatures) {
    const auto is_its_key = [&](const VerifierKey& key) {
      return key.name == signature.name && key.id == signature.id;
    };
    const auto key = std::ranges::find_if(keys, is_its_key);
    if (key == keys.end()) continue;
    if (signature.bytes.size() != kSignatureBytes ||
        !verify_ed25519(key->public_key, note.text, signature.bytes)) {
      return Error(ErrorCode::bad_file, "the signature of \"{}\" is not right", name)
          .with("found", fmt::format("a signature of {} that does not fit the text", key->name))
          .hint("the text or the signature was altered after it was signed");
    }
    if (std::ranges::find(signers, *key) == signers.end()) signers.push_back(*key);
  }
  if (!signers.empty()) return signers;

  std::vector<std::string> found;
  std::vector<std::string> expected;
  for (const NoteSignature& each : note.signatures)
    found.push_back(fmt::format("{}+{:08x}", each.name, each.id));
  for (const VerifierKey& each : keys) expected.push_back(fmt::format("{}+{:08x}", each.name, each.id));
  return Error(ErrorCode::bad_file, "\"{}\" is signed by nobody who is known", name)
      .with("found", fmt::format("{}", fmt::join(found, ", ")))
      .with("expected", fmt::format("{}", fmt::join(expected, ", ")))
      .hint("give the verifier key of this log with --key");
}

}  // namespace maquette::tlog
