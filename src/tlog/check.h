// The questions that people ask about a log, answered for them and for programs: does it hold, does this
// proof hold.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "tlog/proof_file.h"

namespace maquette::tlog {

struct Answer {
  bool holds = false;
  Json json;                       // {"holds": ..., "problems": [...], ...}: docs/log.md
  std::vector<std::string> lines;  // the same for people
};

// keys: verifier keys as text. Each throws Error(usage) where a key is none, Error(not_found, failed) where a
// folder or file that was named cannot be read. What is wrong with the log or the proof is part of the
// answer.
Answer check_folder(const fs::path& folder, std::span<const std::string> keys,
                    const std::optional<fs::path>& older);
Answer check_proof(const fs::path& proof, const fs::path& entry, std::span<const std::string> keys);

struct ProvenEntry {
  ProofFile proof;
  std::string entry;
};
// Throws Error(not_found) where the log has no such entry, Error(bad_file) where it is damaged: what is
// returned holds.
ProvenEntry prove_entry(const fs::path& folder, uint64_t index, std::span<const std::string> keys);

}  // namespace maquette::tlog
