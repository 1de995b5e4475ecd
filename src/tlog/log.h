// Log: a folder in the form of c2sp.org/tlog-tiles to which entries are appended and from which none goes.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/file_lock.h"
#include "tlog/checkpoint.h"
#include "tlog/folder.h"

namespace maquette::tlog {

// One process writes at a time; readers need no lock. Killed at any moment, the folder's checkpoint names
// only what is on the disk, and the next open() goes on from there.
class Log {
 public:
  // Makes the folder and a checkpoint of an empty log where there is none. The log's origin is the signer's
  // name. Throws Error(conflict) where another process has the log open, Error(bad_file) where the checkpoint
  // is not signed by this key, or the tiles do not have its root: nothing is written then. Files that no
  // checkpoint names (what a kill left) are removed.
  static Log open(const fs::path& folder, NoteSigner signer);

  uint64_t size() const { return tree_.size(); }
  const Checkpoint& checkpoint() const { return checkpoint_; }

  // All of them or none, on the disk when it returns. Throws Error(usage) where an entry is longer than
  // kMaxEntryBytes; other errors (a full disk) leave the log closed for writing: open() it again.
  const Checkpoint& append(std::span<const std::string> entries);

 private:
  Log(fs::path folder, NoteSigner signer);
  void begin();
  void resume();
  void remove_unnamed_files() const;
  void write_bundles(std::span<const std::string> entries);
  void write_tiles(uint64_t old_size) const;
  void write_checkpoint();
  void remove_filled_partials(uint64_t old_size) const;

  fs::path folder_;
  NoteSigner signer_;
  FileLock lock_;
  Tree tree_;
  std::vector<std::string> last_bundle_;  // the entries after the last full bundle
  Checkpoint checkpoint_;
  bool failed_ = false;
};

}  // namespace maquette::tlog
