#include "app/studio/doctor.h"

#include <set>

#include "app/studio/filing.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"

namespace maquette::app {

namespace {

// What a missing or altered file was, so that people know what they lost.
Json named(db::Connection& c, const db::Row& file, std::string_view found) {
  Json used = Json::array();
  for (const db::Row& take :
       c.query("SELECT id, title FROM takes WHERE show_id = :s AND (sha256 = :h OR thumbnail = :h2) LIMIT 20",
               {{"s", file.text("show_id")}, {"h", file.text("sha256")}, {"h2", file.text("sha256")}})) {
    used.push_back(take.text("id"));
  }
  return {{"sha256", file.text("sha256")},
          {"media_type", file.text("media_type")},
          {"takes", used},
          {"found", found}};
}

Json examine_show(Studio& studio, db::Connection& c, const db::Row& show, bool quick) {
  const production::FileStore store = store_of(studio, show);
  Json report = {{"code", show.text("code")},
                 {"folder", store.folder().string()},
                 {"files", 0},
                 {"bytes", 0},
                 {"missing", Json::array()},
                 {"altered", Json::array()},
                 {"orphaned", Json::array()}};
  std::set<std::string> known;
  int64_t bytes = 0;
  for (const db::Row& file : c.query("SELECT * FROM files WHERE show_id = :s", {{"s", show.text("id")}})) {
    const std::string sha256 = file.text("sha256");
    if (!file.is_null("purged_at")) continue;  // one that is still there takes space for nothing: orphaned
    known.insert(sha256);
    bytes += file.integer("bytes");
    const fs::path path = store.path(sha256);
    std::error_code error;
    const auto size = fs::file_size(path, error);
    if (error) {
      report["missing"].push_back(named(c, file, "no file"));
    } else if (static_cast<int64_t>(size) != file.integer("bytes")) {
      report["altered"].push_back(
          named(c, file, fmt::format("{} bytes instead of {}", size, file.integer("bytes"))));
    } else if (!quick && sha256_hex_of_file(path) != sha256) {
      report["altered"].push_back(named(c, file, "other bytes"));
    }
  }
  std::error_code error;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(store.folder() / "files", error)) {
    if (entry.is_regular_file(error) && !known.contains(entry.path().filename().string()))
      report["orphaned"].push_back(entry.path().string());
  }
  report["files"] = known.size();
  report["bytes"] = bytes;
  return report;
}

// Deliveries and backups that were cut short: "delivery/.reel1.partial". One that is being written looks the
// same.
void add_unfinished(const fs::path& folder, Json& found) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory(error) && name.starts_with('.') && name.ends_with(".partial"))
      found.push_back(entry.path().string());
  }
}

}  // namespace

Json examine(Studio& studio, const std::string& show_code, bool quick) {
  const db::Lease c = studio.database().connect();
  Json shows = Json::array(), unfinished = Json::array();
  size_t problems = 0;
  for (const db::Row& show : c->query("SELECT * FROM shows ORDER BY code")) {
    if (!show_code.empty() && show.text("code") != show_code && show.text("id") != show_code) continue;
    shows.push_back(examine_show(studio, *c, show, quick));
    add_unfinished(store_of(studio, show).folder() / "delivery", unfinished);
    // What nobody names takes space, but nothing is lost.
    for (const char* kind : {"missing", "altered"}) problems += shows.back()[kind].size();
  }
  if (show_code.empty()) add_unfinished(studio.folder() / "backups", unfinished);
  Json report = Json::object();
  if (c->backend() == db::Backend::sqlite) {
    const std::string found = c->first("PRAGMA integrity_check")->text("integrity_check");
    if (found != "ok") ++problems;
    report["database"] = found;
  }
  report.update(
      {{"shows", shows}, {"unfinished", unfinished}, {"problems", problems}, {"healthy", problems == 0}});
  return report;
}

}  // namespace maquette::app
