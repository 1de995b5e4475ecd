// FileStore: the files of a show by their content. A file's name is its SHA-256; it is written once, whole,
// and never altered. What belongs to what is in the database.
//
//   <show>/files/ab/abcdef...          the bytes
//   <show>/show.json                   whose files these are
//   <show>/delivery/                   what was handed over, under names for people
#pragma once

#include <filesystem>
#include <string>

#include "production/change.h"

namespace maquette::production {

class FileStore {
 public:
  explicit FileStore(std::filesystem::path show_folder) : folder_(std::move(show_folder)) {}

  // Where the bytes with this hash are, or would be. Throws Error(usage) for what is no hash.
  std::filesystem::path path(const std::string& sha256) const;
  bool has(const std::string& sha256) const;
  // All return the hash. `take` moves the file into the store where it can.
  std::string put(std::string_view bytes) const;
  std::string take(const std::filesystem::path& file) const { return take(file, prepare(file)); }
  // The slow part of `take` by itself, for whoever has something else to do meanwhile: brings the bytes to
  // the disk and hashes them. The file stays where it is, and must not change before it is taken.
  static std::string prepare(const std::filesystem::path& file);
  std::string take(const std::filesystem::path& file, const std::string& sha256) const;
  // Throws Error(not_found) that says what to do.
  void require(const std::string& sha256) const;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  bool has_for_good(const std::string& sha256) const;

  std::filesystem::path folder_;
};

// The row of a file that is in the store. Adding it twice changes nothing; one that was purged is there
// again.
void register_file(const Change& change, const std::string& show_id, const std::string& sha256, int64_t bytes,
                   const std::string& media_type);
// Removes the file of a purged row from the disk, unless somebody has brought the same bytes in again
// meanwhile. Who registers a file makes sure afterwards that it is there (store.has): one of the two sees the
// other.
void remove_purged(db::Database& database, const FileStore& store, const std::string& show_id,
                   const std::string& sha256);
// Throws Error(not_found) unless the show has this file and it was not purged.
db::Row find_file(db::Connection& c, const std::string& show_id, const std::string& sha256);

}  // namespace maquette::production
