// Reading a log's folder: its checkpoint, tiles and bundles, and which files lie there.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "tlog/checkpoint.h"
#include "tlog/tiles.h"

namespace maquette::tlog {

constexpr std::string_view kCheckpointFile = "checkpoint";
constexpr std::string_view kLockFile = ".lock";

// Errors: not_found where the file is missing, else bad_file; they name the file by its path in the log's
// folder.
Result<SignedCheckpoint> read_checkpoint(const fs::path& folder, std::span<const VerifierKey> keys);
Result<std::vector<Hash>> read_tile(const fs::path& folder, const TileName& tile);
Result<std::vector<std::string>> read_bundle(const fs::path& folder, const TileName& bundle);

// The tree of the first `size` entries, from the tiles of level 0. Its root is not compared with anything.
Result<Tree> read_tree(const fs::path& folder, uint64_t size);

struct FolderFiles {
  std::vector<TileName> tiles;      // and bundles
  std::vector<std::string> others;  // besides the checkpoint and the lock
};
// Throws Error(not_found, failed) where the folder cannot be read.
FolderFiles list_files(const fs::path& folder);

}  // namespace maquette::tlog
