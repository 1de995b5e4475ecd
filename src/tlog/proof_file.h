// Proof files (c2sp.org/tlog-proof@v1): that an entry is in a log, in one small file that needs no log to be
// checked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tlog/checkpoint.h"

namespace maquette::tlog {

constexpr size_t kMaxProofHashes = 64;  // the tree is never higher

struct ProofFile {
  std::optional<std::string> extra;  // bytes that nobody signs
  uint64_t index = 0;
  std::vector<Hash> hashes;  // leaf's sibling first
  std::string checkpoint;    // the signed note, as it is

  std::string text() const;
};

// Error(bad_file) where the bytes are no such file; the checkpoint inside is not looked at.
Result<ProofFile> parse_proof_file(std::string_view bytes, std::string_view name);

// The checkpoint of which `entry` is a part at the proof's index; Error(bad_file) that says what does not
// hold.
Result<SignedCheckpoint> verify_proof(const ProofFile& proof, std::string_view entry,
                                      std::span<const VerifierKey> keys, std::string_view name);

}  // namespace maquette::tlog
