#include "tlog/folder.h"

#include <algorithm>

namespace maquette::tlog {

namespace {

constexpr size_t kMaxBundleBytes = kTileWidth * (2 + kMaxEntryBytes);

Result<std::string> read_part(const fs::path& folder, const std::string& name, size_t limit) {
  Result<std::string> bytes = read_text_file(folder / name, limit);
  if (bytes || bytes.error().code() != ErrorCode::not_found) return bytes;
  return Error(ErrorCode::not_found, "a file of the log is missing")
      .with("where", folder.string())
      .with("found", "nothing")
      .with("expected", name);
}

}  // namespace

Result<SignedCheckpoint> read_checkpoint(const fs::path& folder, std::span<const VerifierKey> keys) {
  const Result<std::string> note = read_part(folder, std::string(kCheckpointFile), kMaxNoteBytes);
  if (!note) return note.error();
  return open_checkpoint(*note, keys, kCheckpointFile);
}

Result<std::vector<Hash>> read_tile(const fs::path& folder, const TileName& tile) {
  const Result<std::string> bytes = read_part(folder, tile.path(), kTileWidth * sizeof(Hash));
  if (!bytes) return bytes.error();
  return parse_tile(*bytes, tile.width, tile.path());
}

Result<std::vector<std::string>> read_bundle(const fs::path& folder, const TileName& bundle) {
  const Result<std::string> bytes = read_part(folder, bundle.path(), kMaxBundleBytes);
  if (!bytes) return bytes.error();
  return parse_bundle(*bytes, bundle.width, bundle.path());
}

Result<Tree> read_tree(const fs::path& folder, uint64_t size) {
  Tree tree;
  for (TileName tile; (tile.width = tile_width(tile, size)) > 0; ++tile.index) {
    const Result<std::vector<Hash>> hashes = read_tile(folder, tile);
    if (!hashes) return hashes.error();
    for (const Hash& hash : *hashes) tree.append(hash);
  }
  return tree;
}

FolderFiles list_files(const fs::path& folder) {
  FolderFiles files;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    if (at->is_directory() && !at->is_symlink()) continue;
    const std::string name = at->path().lexically_relative(folder).generic_string();
    if (name == kCheckpointFile || name == kLockFile) continue;
    if (const std::optional<TileName> tile = parse_tile_path(name)) {
      files.tiles.push_back(*tile);
    } else {
      files.others.push_back(name);
    }
  }
  if (error) {
    const bool missing = error == std::errc::no_such_file_or_directory;
    throw Error(missing ? ErrorCode::not_found : ErrorCode::failed, "cannot read \"{}\"", folder.string())
        .with("found", error.message())
        .with("expected", "the folder of a log");
  }
  std::ranges::sort(files.others);
  return files;
}

}  // namespace maquette::tlog
