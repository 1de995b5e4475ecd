// Checking a log with nothing but its files and the public keys that its reader trusts.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tlog/checkpoint.h"
#include "tlog/folder.h"

namespace maquette::tlog {

constexpr size_t kMaxProblems = 100;

struct FolderReport {
  std::optional<SignedCheckpoint> checkpoint;  // where its signature is right
  std::optional<Checkpoint> older;             // where it was given and is a part of this log
  std::vector<Error> problems;                 // at most kMaxProblems
  // Files that the checkpoint says nothing about: written after it (a kill leaves such), or no part of a log.
  std::vector<std::string> not_covered;
  size_t files_checked = 0;

  bool holds() const { return problems.empty(); }
};

// Computes the tree from the entries and compares every tile, bundle and the root with it. older_checkpoint:
// the signed note that somebody kept; the log must begin with all of what it names. Throws Error(not_found,
// failed) where the folder itself cannot be read; everything that is wrong with the log is a problem in the
// report.
FolderReport verify_folder(const fs::path& folder, std::span<const VerifierKey> keys,
                           const std::optional<std::string>& older_checkpoint);

}  // namespace maquette::tlog
