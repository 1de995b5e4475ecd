#include "production/file_store.h"

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"

namespace maquette::production {

bool is_sha256(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 64 && std::ranges::all_of(text, is_digit);
}

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

std::string FileStore::put(std::string_view bytes) const {
  const std::string sha256 = sha256_hex(bytes);
  if (has(sha256)) return sha256;
  fs::create_directories(path(sha256).parent_path());
  write_file_atomically(path(sha256), bytes);
  return sha256;
}

std::string FileStore::take(const fs::path& file) const {
  const std::string sha256 = sha256_hex_of_file(file);
  const fs::path place = path(sha256);
  if (has(sha256)) {
    fs::remove(file);
    return sha256;
  }
  fs::create_directories(place.parent_path());
  AtomicFile writing(place);
  // Within one file system this moves, else it copies.
  std::error_code error;
  fs::rename(file, writing.temporary(), error);
  if (error) {
    fs::copy_file(file, writing.temporary(), fs::copy_options::overwrite_existing);
    fs::remove(file, error);
  }
  writing.commit();
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
  const db::Bindings key = {{"s", show_id}, {"h", sha256}};
  if (change->first("SELECT sha256 FROM files WHERE show_id = :s AND sha256 = :h", key)) {
    change->execute(
        "UPDATE files SET purged_at = NULL WHERE show_id = :s AND sha256 = :h AND purged_at IS NOT NULL",
        key);
    return;
  }
  change->insert("files", {{"show_id", show_id},
                           {"sha256", sha256},
                           {"bytes", bytes},
                           {"media_type", media_type},
                           {"created_at", utc_now()}});
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
