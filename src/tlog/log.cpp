// Appending: first the bundles and tiles, under names that no older checkpoint uses, then the checkpoint in
// one rename. What the last checkpoint names is never written to; partial tiles go once the full one is
// named.
#include "tlog/log.h"

#include <algorithm>

#include "base/sync.h"

namespace maquette::tlog {

namespace {

// With its parents, each name on the disk before it returns.
void make_folder(const fs::path& folder) {
  if (folder.empty() || fs::is_directory(folder)) return;
  make_folder(folder.parent_path());
  std::error_code error;
  fs::create_directory(folder, error);
  if (error)
    throw Error(ErrorCode::failed, "cannot make the folder \"{}\"", folder.string())
        .with("found", error.message());
  sync_folder(folder.parent_path());
}

void write_part(const fs::path& path, std::string_view bytes) {
  make_folder(path.parent_path());
  write_file_atomically(path, bytes);
}

const fs::path& made(const fs::path& folder) {
  make_folder(folder);
  return folder;
}

Error damaged(const fs::path& folder, std::string_view found, std::string_view expected) {
  return Error(ErrorCode::bad_file, "cannot go on with a log that is damaged")
      .with("where", folder.string())
      .with("found", found)
      .with("expected", expected)
      .hint(
          "maquette log verify says exactly what is wrong; a backup or a delivery may have the right files");
}

}  // namespace

Log::Log(fs::path folder, NoteSigner signer)
    : folder_(std::move(folder)), signer_(std::move(signer)), lock_(made(folder_) / kLockFile) {}

Log Log::open(const fs::path& folder, NoteSigner signer) {
  Log log(folder, std::move(signer));
  if (fs::exists(folder / kCheckpointFile)) {
    log.resume();
  } else {
    log.begin();
  }
  return log;
}

void Log::begin() {
  // Tiles are only ever written beside a checkpoint.
  if (!list_files(folder_).tiles.empty())
    throw damaged(folder_, "tiles without a checkpoint", "both, or none");
  write_checkpoint();
}

void Log::resume() {
  const VerifierKey keys[] = {signer_.verifier_key()};
  checkpoint_ = read_checkpoint(folder_, keys).take().checkpoint;
  tree_ = read_tree(folder_, checkpoint_.size).take();
  const Hash root = tree_.root(checkpoint_.size);
  if (root != checkpoint_.root)
    throw damaged(folder_, "tiles with root " + base64_of(root), "root " + base64_of(checkpoint_.root));

  TileName bundle{.kind = TileKind::entries, .index = checkpoint_.size / kTileWidth};
  bundle.width = tile_width(bundle, checkpoint_.size);
  if (bundle.width > 0) last_bundle_ = read_bundle(folder_, bundle).take();
  for (size_t i = 0; i < last_bundle_.size(); ++i) {
    const uint64_t index = bundle.index * kTileWidth + i;
    if (leaf_hash(last_bundle_[i]) != tree_.subtree(0, index))
      throw damaged(folder_, fmt::format("another entry {} in {}", index, bundle.path()),
                    "the entry that was logged");
  }
  remove_unnamed_files();
}

void Log::remove_unnamed_files() const {
  for (const TileName& tile : list_files(folder_).tiles) {
    const uint64_t width = tile_width(tile, size());
    const bool after_the_end = tile.width > width;
    const bool filled = width == kTileWidth && tile.width < width;
    if (after_the_end || filled) fs::remove(folder_ / tile.path());
  }
}

const Checkpoint& Log::append(std::span<const std::string> entries) {
  if (failed_) throw Error(ErrorCode::failed, "the log could not be written before").hint("open it again");
  for (const std::string& entry : entries) {
    if (entry.size() > kMaxEntryBytes) {
      throw Error(ErrorCode::usage, "an entry is too long for the log")
          .with("where", folder_.string())
          .with("found", fmt::format("{} bytes", entry.size()))
          .with("expected", fmt::format("at most {} bytes", kMaxEntryBytes));
    }
  }
  if (entries.empty()) return checkpoint_;

  failed_ = true;  // until all is on the disk
  const uint64_t old_size = size();
  for (const std::string& entry : entries) tree_.append(leaf_hash(entry));
  write_bundles(entries);
  write_tiles(old_size);
  write_checkpoint();
  failed_ = false;
  remove_filled_partials(old_size);
  return checkpoint_;
}

void Log::write_bundles(std::span<const std::string> entries) {
  TileName bundle{.kind = TileKind::entries, .index = (size() - entries.size()) / kTileWidth};
  for (const std::string& entry : entries) {
    last_bundle_.push_back(entry);
    const bool last = &entry == &entries.back();
    if (last_bundle_.size() < kTileWidth && !last) continue;
    bundle.width = last_bundle_.size();
    write_part(folder_ / bundle.path(), write_bundle(last_bundle_));
    if (bundle.width < kTileWidth) continue;
    last_bundle_.clear();
    ++bundle.index;
  }
}

void Log::write_tiles(uint64_t old_size) const {
  for (int level = 0; size() >> (kTileHeight * level) > 0; ++level) {
    const uint64_t old_count = old_size >> (kTileHeight * level);
    if (size() >> (kTileHeight * level) == old_count) break;  // the levels above have not grown either
    for (TileName tile{.level = level, .index = old_count / kTileWidth};
         (tile.width = tile_width(tile, size())) > 0; ++tile.index) {
      write_part(folder_ / tile.path(), write_tile(tile_hashes(tree_, tile)));
    }
  }
}

void Log::write_checkpoint() {
  Checkpoint next{.origin = signer_.name(), .size = size(), .root = tree_.root(size())};
  write_file_atomically(folder_ / kCheckpointFile, sign_note(next.text(), signer_));
  checkpoint_ = std::move(next);
}

// What cannot be removed is in nobody's way; the next open() tries again.
void Log::remove_filled_partials(uint64_t old_size) const {
  const auto remove = [&](TileName tile, uint64_t end) {
    std::error_code ignored;
    for (; tile.index < end; ++tile.index) fs::remove_all(folder_ / tile.partials(), ignored);
  };
  remove({.kind = TileKind::entries, .index = old_size / kTileWidth}, size() / kTileWidth);
  for (int level = 0; size() >> (kTileHeight * level) > 0; ++level) {
    const int height = kTileHeight * (level + 1);
    remove({.level = level, .index = old_size >> height}, size() >> height);
  }
}

}  // namespace maquette::tlog
