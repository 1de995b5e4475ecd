// Signed notes (c2sp.org/signed-note): a text, an empty line, and lines "— NAME SIGNATURE" of Ed25519 keys.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/signing_key.h"

namespace maquette::tlog {

constexpr size_t kMaxNoteBytes = size_t{1} << 20;
constexpr size_t kMaxSignatures = 64;

// A public key with the name under which it signs. As text, what a checker is given once and keeps:
// "NAME+1f2e3d4c+BASE64", whose last part is the byte 0x01 (Ed25519) and the 32 bytes of the key.
struct VerifierKey {
  std::string name;
  uint32_t id = 0;  // the first 4 bytes of SHA-256(name || 0x0A || 0x01 || key)
  std::string public_key;

  std::string text() const;
  bool operator==(const VerifierKey&) const = default;
};
// Error(bad_file) where the text is no such key, or its id is not that of its name and key.
Result<VerifierKey> parse_verifier_key(std::string_view text);

class NoteSigner {
 public:
  // Names have no blanks and no "+" and are not empty: Error(usage).
  NoteSigner(std::string name, SigningKey key);
  const std::string& name() const { return verifier_.name; }
  const VerifierKey& verifier_key() const { return verifier_; }
  std::string signature_line(std::string_view text) const;

 private:
  VerifierKey verifier_;
  SigningKey key_;
};

struct NoteSignature {
  std::string name;
  uint32_t id = 0;
  std::string bytes;
};

struct Note {
  std::string text;  // with its last newline, which is signed too
  std::vector<NoteSignature> signatures;
};

// `name` is what errors call the note. Error(bad_file): not UTF-8, control characters, no signature.
Result<Note> parse_note(std::string_view bytes, std::string_view name);

// `text` ends with a newline.
std::string sign_note(std::string_view text, const NoteSigner& signer);
// The same note with one more signature, of a person for instance.
Result<std::string> add_signature(std::string_view note, const NoteSigner& signer);

// Those of `keys` whose signature is right: at least one, else Error(bad_file). One wrong signature of a
// known key is an error too; signatures of unknown keys are passed over.
Result<std::vector<VerifierKey>> signers_of(const Note& note, std::span<const VerifierKey> keys,
                                            std::string_view name);

}  // namespace maquette::tlog
