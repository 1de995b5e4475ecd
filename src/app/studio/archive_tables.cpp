#include "app/studio/archive_tables.h"

#include <algorithm>

namespace maquette::app {

namespace {

constexpr std::string_view kOwn = "show_id = :s";
constexpr std::string_view kOfTask = "task_id IN (SELECT id FROM tasks WHERE show_id = :s)";
constexpr std::string_view kOfTake = "take_id IN (SELECT id FROM takes WHERE show_id = :s)";

struct Column {
  std::string name;
  bool is_text = true;
};

// Those that somebody wrote: what the database makes itself (numbers, words to search by) is made again.
std::vector<Column> columns_of(db::Connection& c, std::string_view table) {
  const bool sqlite = c.backend() == db::Backend::sqlite;
  const std::string_view sql =
      sqlite ? "SELECT name, lower(type) AS type FROM pragma_table_info(:t) WHERE name <> 'seq' ORDER BY cid"
             : "SELECT CAST(column_name AS TEXT) AS name, CAST(data_type AS TEXT) AS type FROM "
               "information_schema.columns WHERE table_schema = current_schema() AND table_name = :t AND "
               "column_name <> 'seq' AND is_generated = 'NEVER' ORDER BY ordinal_position";
  std::vector<Column> columns;
  for (const db::Row& row : c.query(sql, {{"t", std::string(table)}}))
    columns.push_back({row.text("name"), row.text("type") == "text"});
  return columns;
}

bool is_counted(db::Connection& c, std::string_view table) {
  const bool sqlite = c.backend() == db::Backend::sqlite;
  return c
      .first(sqlite ? "SELECT name FROM pragma_table_info(:t) WHERE name = 'seq'"
                    : "SELECT CAST(column_name AS TEXT) AS name FROM information_schema.columns WHERE "
                      "table_schema = current_schema() AND table_name = :t AND column_name = 'seq'",
             {{"t", std::string(table)}})
      .has_value();
}

Json json_of(const db::Row& row, const std::vector<Column>& columns) {
  Json json = Json::object();
  for (const Column& column : columns) {
    if (row.is_null(column.name)) continue;
    column.is_text ? json[column.name] = row.text(column.name) : json[column.name] = row.integer(column.name);
  }
  return json;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && text != "seq" && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

const std::vector<ArchiveTable>& archive_tables() {
  static const std::vector<ArchiveTable> tables = {
      {"people", ""},
      {"shows", "id = :s"},
      {"person_roles", ""},
      {"api_tokens", ""},
      {"settings", ""},
      {"task_types", kOwn},
      {"task_statuses", kOwn},
      {"asset_types", kOwn},
      {"entities", kOwn},
      {"castings", "shot_id IN (SELECT id FROM entities WHERE show_id = :s)"},
      {"tasks", kOwn},
      {"task_assignees", kOfTask},
      {"task_references", kOfTask},
      {"files", kOwn},
      {"takes", kOwn},
      {"take_files", kOfTake},
      {"take_parents", "parent_id IN (SELECT id FROM takes WHERE show_id = :s)"},
      {"marks", kOfTake},
      {"approvals", kOfTask},
      {"annotations", kOfTake},
      {"comments", kOwn},
      {"playlists", kOwn},
      {"playlist_items", "playlist_id IN (SELECT id FROM playlists WHERE show_id = :s)"},
      {"share_links", ""},
      {"canvases", kOfTask},
      {"jobs", kOwn},
      {"model_limits", kOwn},
      {"model_records", ""},
      {"licence_texts", ""},
      {"watched_names", ""},
      {"production_profiles", kOwn},
      {"rights_entries", kOwn},
      {"events", kOwn},
  };
  return tables;
}

void visit_rows(db::Connection& c, const ArchiveTable& table, const std::string& show_id,
                const std::function<void(const Json& row)>& visit) {
  if (!show_id.empty() && table.of_show.empty()) return;
  const std::vector<Column> columns = columns_of(c, table.name);
  std::string names;
  for (const Column& column : columns) names += (names.empty() ? "" : ", ") + column.name;
  db::Bindings bindings;
  std::string where;
  if (!show_id.empty()) {
    where = fmt::format(" WHERE {}", table.of_show);
    bindings.push_back({"s", show_id});
  }
  if (!is_counted(c, table.name)) {
    for (const db::Row& row : c.query(fmt::format("SELECT {} FROM {}{}", names, table.name, where), bindings))
      visit(json_of(row, columns));
    return;
  }
  // The long tables page by page.
  constexpr size_t kPage = 5000;
  bindings.push_back({"after", int64_t{0}});
  const std::string sql = fmt::format("SELECT seq, {} FROM {}{} seq > :after ORDER BY seq LIMIT {}", names,
                                      table.name, where.empty() ? " WHERE" : where + " AND", kPage);
  while (true) {
    const std::vector<db::Row> rows = c.query(sql, bindings);
    for (const db::Row& row : rows) visit(json_of(row, columns));
    if (rows.size() < kPage) return;
    bindings.back().value = rows.back().integer("seq");
  }
}

void insert_row(db::Connection& c, const std::string& table, const Json& row) {
  const bool known =
      std::ranges::find(archive_tables(), table, &ArchiveTable::name) != archive_tables().end();
  db::Bindings columns;
  bool good = known && row.is_object() && !row.empty();
  for (const auto& [name, value] : row.items()) {
    good = good && is_identifier(name) && (value.is_string() || value.is_number_integer());
    if (!good) break;
    if (value.is_string())
      columns.push_back({name, value.get<std::string>()});
    else
      columns.push_back({name, value.get<int64_t>()});
  }
  if (!good)
    throw Error(ErrorCode::bad_file, "a row of the archive is none of a studio").with("found", table);
  c.insert(table, columns);
}

bool names_a_person(std::string_view column) { return column == "person_id" || column == "created_by"; }

bool refers_to_another_row(std::string_view column) {
  constexpr std::string_view kColumns[] = {
      "entity_id",     "task_type_id", "status_id",        "task_id",          "take_id",
      "parent_id",     "shot_id",      "asset_id",         "job_id",           "playlist_id",
      "annotation_id", "show_id",      "approved_take_id", "thumbnail_take_id"};
  return std::ranges::find(kColumns, column) != std::end(kColumns);
}

}  // namespace maquette::app
