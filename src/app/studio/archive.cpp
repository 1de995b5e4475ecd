#include "app/studio/archive.h"

#include <fstream>
#include <set>

#include "app/picture_record.h"
#include "app/studio/archive_tables.h"
#include "app/studio/filing.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "db/migrations.h"
#include "production/references.h"
#include "provenance/event_log.h"

namespace maquette::app {

namespace {

constexpr const char* kSchema = "MaquetteArchive.1";

Error damaged(const fs::path& file, std::string_view found, std::string_view expected = "") {
  Error error(ErrorCode::bad_file, "the archive is damaged");
  error.with("where", file.string()).with("found", found);
  if (!expected.empty()) error.with("expected", expected);
  return error;
}

production::FileStore archived_files(const fs::path& folder, const std::string& show_code) {
  return production::FileStore(folder / "shows" / show_code);
}

// --- making one ---

// Writes the rows of one moment; returns what archive.json says of them.
Json write_rows(db::Connection& c, const std::string& show_id, const fs::path& file) {
  std::ofstream out(file, std::ios::binary);
  std::set<std::string> people;
  int64_t rows = 0;
  for (const ArchiveTable& table : archive_tables()) {
    visit_rows(c, table, show_id, [&](const Json& row) {
      for (const auto& [name, value] : row.items()) {
        if (names_a_person(name) && value.is_string()) people.insert(value.get<std::string>());
      }
      out << Json{{"t", table.name}, {"r", row}}.dump() << '\n';
      ++rows;
    });
  }
  out.close();
  if (!out) throw Error(ErrorCode::failed, "cannot write the archive").with("where", file.string());
  Json said = {{"rows", rows}, {"rows_sha256", sha256_hex_of_file(file)}, {"people", Json::array()}};
  for (const std::string& id : people) {
    if (show_id.empty()) break;
    if (const auto row = c.first("SELECT login, name FROM people WHERE id = :id", {{"id", id}}))
      said["people"].push_back({{"id", id}, {"login", row->text("login")}, {"name", row->text("name")}});
  }
  return said;
}

void copy_files(Studio& studio, db::Connection& c, const std::string& show_id, const fs::path& folder,
                Json& said) {
  int64_t files = 0, bytes = 0;
  said["shows"] = Json::array();
  for (const db::Row& show : c.query("SELECT * FROM shows ORDER BY code")) {
    if (!show_id.empty() && show.text("id") != show_id) continue;
    said["shows"].push_back({{"id", show.text("id")}, {"code", show.text("code")}});
    const production::FileStore from = store_of(studio, show);
    const production::FileStore to = archived_files(folder, show.text("code"));
    fs::create_directories(to.folder());
    for (const db::Row& file :
         c.query("SELECT * FROM files WHERE show_id = :s AND purged_at IS NULL", {{"s", show.text("id")}})) {
      const std::string sha256 = file.text("sha256");
      from.require(sha256);
      fs::create_directories(to.path(sha256).parent_path());
      fs::copy_file(from.path(sha256), to.path(sha256));
      ++files;
      bytes += file.integer("bytes");
    }
    if (fs::exists(from.folder() / "show.json"))
      fs::copy_file(from.folder() / "show.json", to.folder() / "show.json");
  }
  said["files"] = files;
  said["bytes"] = bytes;
}

// What PostgreSQL holds at one moment, whatever others write meanwhile.
struct Snapshot {
  explicit Snapshot(db::Database& database) : c(database.connect()) {
    c->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  }
  ~Snapshot() {
    try {
      c->execute("ROLLBACK");
    } catch (const std::exception&) {  // the connection is gone, and the snapshot with it
    }
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  db::Lease c;
};

Json make_archive(Studio& studio, const std::string& show_id, const fs::path& folder) {
  if (fs::exists(folder))
    throw Error(ErrorCode::conflict, "there is something of this name").with("where", folder.string());
  const fs::path hidden = folder.parent_path() / ("." + folder.filename().string() + ".partial");
  fs::remove_all(hidden);
  fs::create_directories(hidden / "shows");
  Json said = {{"schema", kSchema},
               {"kind", show_id.empty() ? "studio" : "show"},
               {"made_at", utc_now()},
               {"maquette", version()},
               {"migration", db::migrations().back().name}};
  // The moment of the archive; files come after it, so that none that it names is missing.
  if (studio.database().backend() == db::Backend::sqlite) {
    studio.database().copy_to(hidden / "studio.db");
    const auto copy = db::Database::open((hidden / "studio.db").string());
    {
      db::Transaction tx(*copy);
      said.update(write_rows(*tx, show_id, hidden / "rows.jsonl"));
      copy_files(studio, *tx, show_id, hidden, said);
      // In the copy every show lies inside.
      for (const db::Row& show : tx->query("SELECT id, code FROM shows"))
        tx->update("shows", {{"root", "shows/" + show.text("code")}}, {"id", show.text("id")});
      tx.commit();
    }
  } else {
    const Snapshot moment(studio.database());
    said.update(write_rows(*moment.c, show_id, hidden / "rows.jsonl"));
    copy_files(studio, *moment.c, show_id, hidden, said);
  }
  // A show's archive tells nothing of the others.
  for (const char* name : {"studio.db", "studio.db-wal", "studio.db-shm"}) {
    if (!show_id.empty()) fs::remove(hidden / name);
  }
  write_file_atomically(hidden / "archive.json", said.dump(2) + "\n");
  fs::rename(hidden, folder);
  return {{"folder", folder.string()},
          {"kind", said["kind"]},
          {"files", said["files"]},
          {"bytes", said["bytes"]},
          {"rows", said["rows"]}};
}

// --- reading one ---

Json read_description(const fs::path& folder) {
  const fs::path file = folder / "archive.json";
  const auto text = read_text_file(file);
  if (!text)
    throw Error(ErrorCode::not_found, "this is no archive of Maquette")
        .with("where", folder.string())
        .with("expected", "a folder that \"maquette backup\" made");
  const auto said = parse_json(*text, file.string());
  if (!said || !said->is_object() || said->value("schema", "") != kSchema)
    throw damaged(file, "no description");
  const std::string migration = said->value("migration", "");
  if (migration > db::migrations().back().name)
    throw Error(ErrorCode::conflict, "the archive was made by a newer Maquette")
        .with("found", migration)
        .with("expected", fmt::format("at most {}", db::migrations().back().name));
  return *said;
}

void visit_lines(const fs::path& folder, const std::function<void(std::string line)>& visit) {
  std::ifstream in(folder / "rows.jsonl", std::ios::binary);
  for (std::string line; std::getline(in, line);) visit(line);
}

struct Line {
  std::string table;
  Json row;
};

Line line_of(const fs::path& folder, const std::string& text) {
  auto json = parse_json(text, "a row");
  if (!json || !json->is_object() || !json->contains("t") || !(*json)["t"].is_string() ||
      !json->contains("r") || !(*json)["r"].is_object())
    throw damaged(folder / "rows.jsonl", text.substr(0, 60));
  return {(*json)["t"], std::move((*json)["r"])};
}

void check_file(const production::FileStore& store, const Json& row) {
  const std::string sha256 = row.value("sha256", "");
  const fs::path file = store.path(sha256);
  if (!store.has(sha256)) throw damaged(file, "no file", "the file with this hash");
  const std::string found = sha256_hex_of_file(file);
  if (found != sha256) throw damaged(file, fmt::format("bytes with the hash {}", found), sha256);
}

std::map<std::string, std::string> codes_of(const Json& said) {
  std::map<std::string, std::string> codes;
  for (const Json& show : said.value("shows", Json::array())) {
    production::require_code(show.at("code").get<std::string>(), "a show");
    codes[show.at("id")] = show.at("code");
  }
  return codes;
}

// --- bringing one back ---

using Names = std::vector<std::pair<std::string, std::string>>;  // from, to

std::string without_dashes(std::string id) {
  std::erase(id, '-');
  return id;
}

// Who of the archive is who here; those whose login is not here become people without sign-in. Ids stand with
// dashes in columns and documents, and without in the words that takes are found by.
Names match_people(db::Transaction& tx, const Json& people) {
  Names names;
  for (const Json& person : people) {
    const std::string id = person.at("id"), login = person.at("login");
    if (const auto here = tx->first("SELECT id FROM people WHERE login = :l", {{"l", login}})) {
      const std::string known = here->text("id");
      if (known == id) continue;
      names.emplace_back(id, known);
      names.emplace_back(without_dashes(id), without_dashes(known));
    } else if (!tx->first("SELECT id FROM people WHERE id = :id", {{"id", id}})) {
      tx->insert("people", {{"id", id},
                            {"login", login},
                            {"name", person.at("name").get<std::string>()},
                            {"active", int64_t{0}},
                            {"created_at", utc_now()}});
    }
  }
  return names;
}

std::string renamed(std::string line, const Names& names) {
  for (const auto& [from, to] : names) {
    for (size_t at = line.find(from); at != line.npos; at = line.find(from, at + to.size()))
      line.replace(at, from.size(), to);
  }
  return line;
}

// What a show's rows may refer to: themselves. Else an archive could write into other shows.
void require_own(const Line& line, const std::set<std::string>& ids, const fs::path& folder) {
  for (const auto& [name, value] : line.row.items()) {
    if (!refers_to_another_row(name) || value == "") continue;
    if (!value.is_string() || !ids.contains(value.get<std::string>()))
      throw damaged(folder / "rows.jsonl",
                    fmt::format("a row of {} whose {} is not in the archive", line.table, name));
  }
}

void require_place(db::Connection& c, const Json& said) {
  if (said["kind"] == "studio") {
    if (!c.first("SELECT id FROM shows") && !c.first("SELECT id FROM people")) return;
    throw Error(ErrorCode::conflict, "a whole studio is restored into an empty one")
        .with("found", "shows or people")
        .hint("name another folder with --studio, or another database with --db");
  }
  for (const auto& [id, code] : codes_of(said)) {
    const auto same =
        c.first("SELECT code FROM shows WHERE id = :id OR code = :code", {{"id", id}, {"code", code}});
    if (!same) continue;
    throw Error(ErrorCode::conflict, "this show is here already, or another of its code")
        .with("found", same->text("code"));
  }
}

void bring_files(Studio& studio, const fs::path& folder, const std::map<std::string, std::string>& codes) {
  visit_lines(folder, [&](const std::string& text) {
    if (!text.starts_with(R"({"t":"files")")) return;
    const Line line = line_of(folder, text);
    if (line.row.contains("purged_at")) return;
    const std::string& code = codes.at(line.row.value("show_id", ""));
    const production::FileStore from = archived_files(folder, code);
    const production::FileStore to(studio.folder() / "shows" / code);
    const std::string sha256 = line.row.value("sha256", "");
    if (to.has(sha256) && sha256_hex_of_file(to.path(sha256)) == sha256) return;
    fs::create_directories(to.path(sha256).parent_path());
    AtomicFile writing(to.path(sha256));
    fs::copy_file(from.path(sha256), writing.temporary(), fs::copy_options::overwrite_existing);
    writing.commit();
  });
  for (const auto& [id, code] : codes) {
    const fs::path place = studio.folder() / "shows" / code;
    fs::create_directories(place);
    if (fs::exists(folder / "shows" / code / "show.json"))
      fs::copy_file(folder / "shows" / code / "show.json", place / "show.json",
                    fs::copy_options::overwrite_existing);
  }
}

}  // namespace

Json back_up(Studio& studio, const fs::path& folder) { return make_archive(studio, "", folder); }

Json back_up_show(Studio& studio, const db::Row& show, const fs::path& folder) {
  return make_archive(studio, show.text("id"), folder);
}

Json check_archive(const fs::path& folder) {
  const Json said = read_description(folder);
  const std::string found = sha256_hex_of_file(folder / "rows.jsonl");
  if (found != said.value("rows_sha256", ""))
    throw damaged(folder / "rows.jsonl", fmt::format("bytes with the hash {}", found),
                  said.value("rows_sha256", ""));
  const std::map<std::string, std::string> codes = codes_of(said);
  std::set<std::string> ids;
  visit_lines(folder, [&](const std::string& text) {
    const Line line = line_of(folder, text);
    if (line.row.contains("id") && line.table != "people") ids.insert(line.row["id"].get<std::string>());
    if (line.table != "files" || line.row.contains("purged_at")) return;
    const auto code = codes.find(line.row.value("show_id", ""));
    if (code == codes.end()) throw damaged(folder / "rows.jsonl", "a file of a show that is not named");
    check_file(archived_files(folder, code->second), line.row);
  });
  if (said["kind"] == "show")
    visit_lines(folder, [&](const std::string& text) { require_own(line_of(folder, text), ids, folder); });
  return {{"kind", said["kind"]},   {"made_at", said["made_at"]}, {"shows", said["shows"]},
          {"files", said["files"]}, {"bytes", said["bytes"]},     {"rows", said["rows"]}};
}

Json restore(Studio& studio, const fs::path& folder) {
  const Json said = read_description(folder);
  require_place(*studio.database().connect(), said);
  Json checked = check_archive(folder);
  bring_files(studio, folder, codes_of(said));

  db::Transaction tx(studio.database());
  tx.take_turn();
  require_place(*tx, said);
  const bool whole = said["kind"] == "studio";
  const Names names = whole ? Names() : match_people(tx, said["people"]);
  visit_lines(folder, [&](const std::string& text) {
    Line line = line_of(folder, renamed(text, names));
    if (line.table == "shows") line.row["root"] = "shows/" + line.row.value("code", "");
    // Whoever ran a job is not here.
    if (line.table == "jobs" && line.row.value("state", "") == "running") line.row["state"] = "queued";
    insert_row(*tx, line.table, line.row);
  });
  for (const Json& show : said["shows"]) {
    provenance::append_event(tx, {"", "program"},
                             {.action = "show:restore",
                              .subject_kind = "show",
                              .subject_id = show["id"].get<std::string>(),
                              .subject_name = show["code"],
                              .show_id = show["id"],
                              .after = {{"made_at", said["made_at"]}, {"rows", said["rows"]}}});
  }
  tx.commit();
  return checked;
}

}  // namespace maquette::app
