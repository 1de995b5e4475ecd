// Checkpoints (c2sp.org/tlog-checkpoint): how many entries a log has and the root of its tree, signed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tlog/merkle.h"
#include "tlog/note.h"

namespace maquette::tlog {

constexpr uint64_t kMaxEntries = uint64_t{1} << 48;
constexpr size_t kMaxEntryBytes = 65535;  // what the two bytes before an entry can count

struct Checkpoint {
  std::string origin;  // which log it is; the name of the log's key
  uint64_t size = 0;
  Hash root{};
  std::vector<std::string> extensions;

  std::string text() const;
};

// Error(bad_file) where the text is no checkpoint; `name` is what errors call it.
Result<Checkpoint> parse_checkpoint(std::string_view text, std::string_view name);

struct SignedCheckpoint {
  Checkpoint checkpoint;
  std::string note;                  // all of it, as it was read
  std::vector<std::string> signers;  // names of the keys that were asked for and have signed
  size_t unknown_signatures = 0;
};

// The note's text is a checkpoint, and one of `keys`, which is called as the origin, has signed it.
Result<SignedCheckpoint> open_checkpoint(std::string_view note, std::span<const VerifierKey> keys,
                                         std::string_view name);

// Numbers as these formats write them: decimal, no zero in front; at most kMaxEntries.
std::optional<uint64_t> parse_count(std::string_view text);
std::string base64_of(const Hash& hash);
std::optional<Hash> parse_hash(std::string_view base64);

}  // namespace maquette::tlog
