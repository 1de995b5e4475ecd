// The checkpoint's signature vouches for one root. The leaves are taken from the entries, or from the tiles
// of level 0, whichever has that root; every file is then compared with the tree over these leaves, so that
// each problem names the file that was altered and not the one that it was found with.
#include "tlog/verify_folder.h"

#include <algorithm>
#include <set>

namespace maquette::tlog {

namespace {

Error altered(const std::string& file, std::string_view what, const Hash& found, const Hash& expected) {
  return Error(ErrorCode::bad_file, "\"{}\" was altered", file)
      .with("where", what)
      .with("found", base64_of(found))
      .with("expected", base64_of(expected));
}

class FolderCheck {
 public:
  FolderCheck(const fs::path& folder, uint64_t size, FolderReport& report)
      : folder_(folder), size_(size), report_(report) {}

  void add(Error problem) {
    if (report_.problems.size() < kMaxProblems) report_.problems.push_back(std::move(problem));
  }

  // The tree with the checkpoint's root; nothing, and problems, where neither entries nor tiles have it.
  std::optional<Tree> trusted_tree(const Hash& root) {
    Result<Tree> of_entries = tree_of_entries();
    if (of_entries && of_entries->root(size_) == root) {
      entries_are_right_ = true;
      return std::move(*of_entries);
    }
    Result<Tree> of_tiles = read_tree(folder_, size_);
    if (of_tiles && of_tiles->root(size_) == root) return std::move(*of_tiles);
    add_root_problem(of_entries, "entries", root);
    add_root_problem(of_tiles, "tiles", root);
    return std::nullopt;
  }

  void compare_files(const Tree& tree) {
    const FolderFiles files = list_files(folder_);
    report_.not_covered = files.others;
    std::set<std::string> checked;
    for (const TileName& tile : tiles_of(size_)) {
      compare(tree, tile, true);
      checked.insert(tile.path());
    }
    for (const TileName& tile : files.tiles) {
      if (checked.contains(tile.path())) continue;
      if (tile.width > tile_width(tile, size_)) {
        report_.not_covered.push_back(tile.path());
      } else {
        compare(tree, tile, false);  // a partial tile of an older checkpoint
      }
    }
  }

 private:
  Result<Tree> tree_of_entries() const {
    Tree tree;
    for (TileName bundle{.kind = TileKind::entries}; (bundle.width = tile_width(bundle, size_)) > 0;
         ++bundle.index) {
      const Result<std::vector<std::string>> entries = read_bundle(folder_, bundle);
      if (!entries) return entries.error();
      for (const std::string& entry : *entries) tree.append(leaf_hash(entry));
    }
    return tree;
  }

  void add_root_problem(const Result<Tree>& tree, std::string_view what, const Hash& root) {
    if (!tree) return add(tree.error());
    add(Error(ErrorCode::bad_file, "the {} of the log do not have the root that was signed", what)
            .with("where", folder_.string())
            .with("found", base64_of(tree->root(size_)))
            .with("expected", base64_of(root))
            .hint("entries and tiles were both altered, or the checkpoint is of another log"));
  }

  void compare(const Tree& tree, const TileName& tile, bool is_of_this_size) {
    ++report_.files_checked;
    if (tile.kind == TileKind::hashes) return compare_tile(tree, tile);
    if (!(is_of_this_size && entries_are_right_)) compare_bundle(tree, tile);  // else they made the tree
  }

  void compare_tile(const Tree& tree, const TileName& tile) {
    const Result<std::vector<Hash>> hashes = read_tile(folder_, tile);
    if (!hashes) return add(hashes.error());
    const std::vector<Hash> expected = tile_hashes(tree, tile);
    for (size_t i = 0; i < expected.size(); ++i) {
      if ((*hashes)[i] != expected[i])
        return add(altered(tile.path(), fmt::format("hash {} of the tile", i), (*hashes)[i], expected[i]));
    }
  }

  void compare_bundle(const Tree& tree, const TileName& bundle) {
    const Result<std::vector<std::string>> entries = read_bundle(folder_, bundle);
    if (!entries) return add(entries.error());
    for (size_t i = 0; i < entries->size(); ++i) {
      const uint64_t index = bundle.index * kTileWidth + i;
      const Hash found = leaf_hash((*entries)[i]);
      if (found != tree.subtree(0, index))
        add(altered(bundle.path(), fmt::format("entry {} of the log", index), found, tree.subtree(0, index)));
    }
  }

  const fs::path& folder_;
  uint64_t size_;
  FolderReport& report_;
  bool entries_are_right_ = false;
};

// Nothing where the log begins with what the older checkpoint names.
std::optional<Error> not_consistent(const Tree& tree, const Checkpoint& older, const Checkpoint& newer) {
  const auto bad = [&](const std::string& found, const std::string& expected) {
    return Error(ErrorCode::bad_file, "the log is not a continuation of the older checkpoint")
        .with("where", newer.origin)
        .with("found", found)
        .with("expected", expected);
  };
  if (older.origin != newer.origin) return bad("origin " + newer.origin, "origin " + older.origin);
  if (older.size > newer.size)
    return bad(fmt::format("{} entries", newer.size), fmt::format("{} entries or more", older.size))
        .hint("entries were cut off, or the two checkpoints were given in the wrong order");
  const Hash root = tree.root(older.size);
  if (root == older.root) return std::nullopt;
  return bad(fmt::format("root {} of the first {} entries", base64_of(root), older.size),
             "root " + base64_of(older.root))
      .hint(
          "the log was rewritten after the older checkpoint was signed: both signed notes together prove it");
}

}  // namespace

FolderReport verify_folder(const fs::path& folder, std::span<const VerifierKey> keys,
                           const std::optional<std::string>& older_checkpoint) {
  FolderReport report;
  list_files(folder);  // throws where there is no such folder
  Result<SignedCheckpoint> read = read_checkpoint(folder, keys);
  report.files_checked = 1;
  if (!read) {
    report.problems.push_back(read.error());
    return report;
  }
  report.checkpoint = std::move(*read);
  const Checkpoint& checkpoint = report.checkpoint->checkpoint;

  FolderCheck check(folder, checkpoint.size, report);
  const std::optional<Tree> tree = check.trusted_tree(checkpoint.root);
  if (!tree) return report;
  check.compare_files(*tree);

  if (!older_checkpoint) return report;
  const Result<SignedCheckpoint> older = open_checkpoint(*older_checkpoint, keys, "older checkpoint");
  if (!older) {
    check.add(older.error());
  } else if (std::optional<Error> problem = not_consistent(*tree, older->checkpoint, checkpoint)) {
    check.add(std::move(*problem));
  } else {
    report.older = older->checkpoint;
  }
  return report;
}

}  // namespace maquette::tlog
