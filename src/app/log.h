// Logs of shows: checking one, and proving single entries to people who have no more than a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/inspect.h"

namespace maquette::app {

struct LogQuestion {
  std::filesystem::path folder;                // a log, or
  std::filesystem::path proof;                 // the proof of
  std::filesystem::path entry;                 // one entry
  std::vector<std::string> keys;               // verifier keys that are trusted
  std::optional<std::filesystem::path> older;  // a checkpoint kept from before
};

struct LogAnswer {
  Facts facts;
  bool holds = false;
};

// Throws Error(usage) where the question is none; what is wrong with the log is in the answer.
LogAnswer verify_log(const LogQuestion& question);

// Writes the proof to `out` and the entry's bytes beside it (sea.tlog-proof, sea.entry).
Facts prove_log_entry(const LogQuestion& log, uint64_t index, const std::filesystem::path& out);

}  // namespace maquette::app
