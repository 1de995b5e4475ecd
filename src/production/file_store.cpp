#include "production/file_store.h"

#include <algorithm>
#include <fstream>

#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "base/partial_files.h"
#include "base/sync.h"

namespace maquette::production {

fs::path FileStore::path(const std::string& sha256) const {
  if (!is_sha256(sha256)) {
    throw Error(ErrorCode::usage, "this is no name of a stored file")
        .with("found", sha256.substr(0, 80))
        .with("expected", "a SHA-256 of 64 lower-case hexadecimal digits");
  }
  return folder_ / "files" / sha256.substr(0, 2) / sha256;
}

bool FileStore::has(const std::string& sha256) const {
  std::error_code error;
  return fs::is_regular_file(path(sha256), error);
}

namespace {

// A file on its way into the store. It waits beside the store's folders, so that what kills leave is in one
// place and is swept at the next start (app/studio/left_overs.h). A power cut at any moment leaves no name
// without its bytes, and no row without its file: bytes, name and row reach the disk in this order.
class Incoming {
 public:
  explicit Incoming(const fs::path& files) : files_(files), path_(partial_name(files / "incoming")) {
    if (fs::create_directories(files_)) sync_folder(files_.parent_path());
  }
  ~Incoming() {
    std::error_code error;
    fs::remove(path_, error);
  }
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  const fs::path& path() const { return path_; }
  void become(const fs::path& place) const {
    if (fs::create_directories(place.parent_path())) sync_folder(files_);
    sync_file(path_, place);
    fs::rename(path_, place);
    sync_folder(place.parent_path());
  }

 private:
  fs::path files_;
  fs::path path_;
};

void write_whole(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw Error(ErrorCode::failed, "cannot write to the show's store").with("where", path.string());
}

}  // namespace

// Whoever finds the file here may be faster than the one who puts it here; so the name is synced again.
bool FileStore::has_for_good(const std::string& sha256) const {
  if (!has(sha256)) return false;
  sync_folder(path(sha256).parent_path());
  return true;
}

std::string FileStore::put(std::string_view bytes) const {
  const std::string sha256 = sha256_hex(bytes);
  if (has_for_good(sha256)) return sha256;
  const Incoming incoming(folder_ / "files");
  write_whole(incoming.path(), bytes);
  incoming.become(path(sha256));
  return sha256;
}

std::string FileStore::prepare(const fs::path& file) {
  sync_file(file, file);
  return sha256_hex_of_file(file);
}

std::string FileStore::take(const fs::path& file, const std::string& sha256) const {
  if (has_for_good(sha256)) {
    fs::remove(file);
    return sha256;
  }
  const Incoming incoming(folder_ / "files");
  // Within one file system this moves, else it copies.
  std::error_code error;
  fs::rename(file, incoming.path(), error);
  if (error) {
    fs::copy_file(file, incoming.path(), fs::copy_options::overwrite_existing);
    fs::remove(file, error);
  }
  incoming.become(path(sha256));
  return sha256;
}

void FileStore::require(const std::string& sha256) const {
  if (has(sha256)) return;
  throw Error(ErrorCode::not_found, "a file of the show is missing on the disk")
      .with("where", path(sha256).string())
      .hint("\"maquette doctor\" lists all of them; a backup has them");
}

void register_file(const Change& change, const std::string& show_id, const std::string& sha256, int64_t bytes,
                   const std::string& media_type) {
  change->execute(
      "INSERT INTO files (show_id, sha256, bytes, media_type, created_at) VALUES (:show, :sha256, :bytes, "
      ":type, :at) ON CONFLICT (show_id, sha256) DO UPDATE SET purged_at = NULL",
      {{"show", show_id}, {"sha256", sha256}, {"bytes", bytes}, {"type", media_type}, {"at", utc_now()}});
}

void remove_purged(db::Database& database, const FileStore& store, const std::string& show_id,
                   const std::string& sha256) {
  db::Transaction tx(database);
  const std::string_view lock = tx->backend() == db::Backend::postgresql ? " FOR UPDATE" : "";
  const auto purged = tx->first(fmt::format("SELECT sha256 FROM files WHERE show_id = :s AND sha256 = :h AND "
                                            "purged_at IS NOT NULL{}",
                                            lock),
                                {{"s", show_id}, {"h", sha256}});
  if (!purged) return;
  std::error_code error;
  fs::remove(store.path(sha256), error);
}

db::Row find_file(db::Connection& c, const std::string& show_id, const std::string& sha256) {
  const auto row =
      c.first("SELECT * FROM files WHERE show_id = :s AND sha256 = :h", {{"s", show_id}, {"h", sha256}});
  if (!row)
    throw Error(ErrorCode::not_found, "the show has no such file")
        .with("found", sha256.substr(0, 80))
        .hint("upload it first");
  if (!row->is_null("purged_at")) {
    throw Error(ErrorCode::not_found, "the file was purged to free space")
        .with("found", sha256)
        .with("when", row->text("purged_at"));
  }
  return *row;
}

}  // namespace maquette::production
