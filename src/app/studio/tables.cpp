#include "app/studio/tables.h"

#include <algorithm>

#include "base/text.h"
#include "production/entities.h"
#include "production/references.h"

namespace maquette::app {

// --- CSV ---

int CsvTable::column(std::string_view name) const {
  const auto found = std::ranges::find_if(
      columns, [&](const std::string& column) { return lower_ascii(column) == lower_ascii(name); });
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

CsvTable parse_csv(std::string_view text) {
  constexpr size_t kMostFields = 2'000'000;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const std::string_view first = text.substr(0, text.find('\n'));
  const char separator = std::ranges::count(first, ';') > std::ranges::count(first, ',') ? ';' : ',';
  CsvTable table;
  std::vector<std::string> row(1);
  size_t line = 1, fields = 0;
  bool quoted = false;
  const auto end_row = [&] {
    const bool blank = row.size() == 1 && row[0].empty();
    if (!blank && table.columns.empty()) {
      table.columns = row;
    } else if (!blank) {
      if (row.size() > table.columns.size()) {
        throw Error(ErrorCode::bad_file, "cannot read the table")
            .with("line", line)
            .with("found", fmt::format("{} values", row.size()))
            .with("expected", fmt::format("{} columns", table.columns.size()));
      }
      row.resize(table.columns.size());
      table.rows.push_back(row);
    }
    row.assign(1, "");
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        row.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        row.back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && row.back().empty()) {
      quoted = true;
    } else if (c == separator) {
      if (++fields > kMostFields)
        throw Error(ErrorCode::bad_file, "the table is too large")
            .with("expected", fmt::format("at most {} values", kMostFields));
      row.emplace_back();
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      row.back() += c;
    }
  }
  if (quoted)
    throw Error(ErrorCode::bad_file, "cannot read the table")
        .with("line", line)
        .with("found", "a quotation mark that does not close");
  end_row();
  if (table.columns.empty()) throw Error(ErrorCode::bad_file, "the table is empty");
  return table;
}

std::string csv_line(const std::vector<std::string>& values) {
  std::string line;
  for (const std::string& value : values) {
    if (!line.empty() || &value != &values.front()) line += ',';
    // What a spreadsheet would run as a formula becomes a text.
    const bool formula =
        !value.empty() && std::string_view("=+-@\t").find(value[0]) != std::string_view::npos;
    const std::string safe = formula ? "'" + value : value;
    if (safe.find_first_of(",;\"\r\n") == safe.npos) {
      line += safe;
      continue;
    }
    line += '"';
    for (const char c : safe) line += c == '"' ? "\"\"" : std::string(1, c);
    line += '"';
  }
  return line + "\r\n";
}

// --- out ---

namespace {

struct Question {
  std::string_view what;
  std::vector<std::string> columns;  // of the file; the same order as the answer's
  std::string_view sql;
};

const std::vector<Question>& questions() {
  static const std::vector<Question> list = {
      {"shots",
       {"Episode", "Sequence", "Name", "Description", "Status", "Path"},
       "SELECT CASE WHEN g.kind = 'episode' THEN g.code WHEN p.kind = 'episode' THEN p.code ELSE '' END AS "
       "c0, CASE WHEN p.kind = 'sequence' THEN p.code ELSE '' END "
       "AS c1, e.code AS c2, e.brief AS c3, e.status AS c4, e.path AS c5 FROM entities e LEFT JOIN entities "
       "p ON p.id = e.parent_id LEFT JOIN entities g ON g.id = "
       "p.parent_id WHERE e.show_id = :s AND e.kind = 'shot' ORDER BY e.path"},
      {"assets",
       {"Type", "Name", "Description", "Status", "Path"},
       "SELECT asset_type AS c0, code AS c1, brief AS c2, status AS c3, path AS c4 FROM entities WHERE "
       "show_id = :s AND kind = 'asset' ORDER BY path"},
      {"casting",
       {"Shot", "Asset Type", "Asset", "Occurences", "Label"},
       "SELECT a.path AS c0, b.asset_type AS c1, b.code AS c2, CAST(g.count AS TEXT) AS c3, g.label AS c4 "
       "FROM castings g JOIN entities a ON a.id = g.shot_id JOIN entities b ON b.id = "
       "g.asset_id WHERE a.show_id = :s ORDER BY a.path, b.path"},
      {"tasks",
       {"Entity", "Task Type", "Task Status", "Retakes", "Takes", "Due Date", "Description"},
       "SELECT k.entity_path AS c0, y.name AS c1, t.name AS c2, CAST(k.retake_count AS TEXT) AS c3, "
       "CAST(k.take_count AS TEXT) AS c4, COALESCE(k.due_at, '') AS c5, k.brief AS c6 FROM "
       "tasks k JOIN task_types y ON y.id = k.task_type_id JOIN task_statuses t ON t.id = k.status_id WHERE "
       "k.show_id = :s ORDER BY k.entity_path, y.code"},
      {"takes",
       {"Entity", "Task Type", "Revision", "Take", "Origin", "Model", "Seed", "Prompt", "Person", "Date",
        "SHA-256"},
       "SELECT k.entity_path AS c0, y.code AS c1, CAST(t.revision AS TEXT) AS c2, CAST(t.number AS TEXT) AS "
       "c3, t.origin AS c4, t.model AS c5, t.seed AS c6, t.prompt AS c7, p.name AS c8, "
       "t.created_at AS c9, t.sha256 AS c10 FROM takes t JOIN tasks k ON k.id = t.task_id JOIN task_types y "
       "ON y.id = k.task_type_id JOIN people p ON p.id = t.created_by WHERE t.show_id = "
       ":s ORDER BY t.seq"},
  };
  return list;
}

}  // namespace

std::string export_csv(db::Connection& c, const db::Row& show, const std::string& what) {
  const auto question = std::ranges::find(questions(), what, &Question::what);
  if (question == questions().end())
    throw Error(ErrorCode::usage, "cannot export \"{}\"", what)
        .with("expected", "shots, assets, casting, tasks, takes");
  std::string text = csv_line(question->columns);
  for (const db::Row& row : c.query(question->sql, {{"s", show.text("id")}})) {
    std::vector<std::string> values;
    for (size_t i = 0; i < question->columns.size(); ++i) values.push_back(row.text(fmt::format("c{}", i)));
    text += csv_line(values);
  }
  return text;
}

// --- in ---

namespace {

using production::Change;

struct Counts {
  int created = 0, updated = 0;
};

class Importer {
 public:
  Importer(const Change& change, const db::Row& show) : change_(change), show_(show) {}

  void shots(const CsvTable& table) {
    const int name = required(table, "Name");
    for (const auto& row : table.rows) {
      std::string parent;
      if (const std::string episode = value(table, row, "Episode"); !episode.empty())
        parent = ensure("episode", "", episode, "");
      if (const std::string sequence = value(table, row, "Sequence"); !sequence.empty())
        parent = ensure("sequence", parent, sequence, "");
      put("shot", parent, row[static_cast<size_t>(name)], value(table, row, "Description"), "",
          frames_of(table, row));
    }
  }

  void assets(const CsvTable& table) {
    const int name = required(table, "Name"), type = required(table, "Type");
    for (const auto& row : table.rows) {
      put("asset", "", row[static_cast<size_t>(name)], value(table, row, "Description"),
          type_code(row[static_cast<size_t>(type)]), {});
    }
  }

  void casting(const CsvTable& table) {
    const int asset = required(table, "Asset");
    for (const auto& row : table.rows) {
      std::string path = value(table, row, "Shot");
      if (const std::string sequence = value(table, row, "Sequence"); !sequence.empty() && path.empty())
        path = sequence + "/" + value(table, row, "Name");
      const auto count =
          parse_integer(value(table, row, "Occurences").empty() ? "1" : value(table, row, "Occurences"));
      if (!count)
        throw Error(ErrorCode::bad_file, "cannot read a count of the casting")
            .with("found", value(table, row, "Occurences"));
      production::cast(change_, entity(path), entity(row[static_cast<size_t>(asset)]), *count,
                       value(table, row, "Label"));
      ++counts_.updated;
    }
  }

  // CMX 3600: "001  SH020 V C 00:00:00:00 00:00:02:00 00:00:10:00 00:00:12:00", and "* FROM CLIP NAME: ..."
  // after it.
  void edl(std::string_view text) {
    std::string shot, in, out;
    const auto flush = [&] {
      if (!shot.empty()) put("shot", "", shot, "", "", {{"cut_in", in}, {"cut_out", out}});
      shot.clear();
    };
    for (const auto& raw : split(text, '\n')) {
      const std::string line(trim(raw));
      std::vector<std::string> words;
      for (const auto& word : split(line, ' ')) {
        if (!trim(word).empty()) words.emplace_back(trim(word));
      }
      const bool event = words.size() >= 8 && parse_integer(words[0]).has_value();
      if (event) {
        flush();
        shot = words[1];
        in = words[words.size() - 2];
        out = words[words.size() - 1];
      } else if (line.find("FROM CLIP NAME:") != line.npos && !in.empty()) {
        shot = std::string(trim(line.substr(line.find(':') + 1)));
        shot = shot.substr(0, shot.rfind('.') == shot.npos ? shot.size() : shot.rfind('.'));
        std::ranges::replace(shot, ' ', '_');
      }
    }
    flush();
    if (counts_.created + counts_.updated == 0)
      throw Error(ErrorCode::bad_file, "there are no events in the edit decision list")
          .with("expected", "CMX 3600");
  }

  Counts counts() const { return counts_; }

 private:
  int required(const CsvTable& table, std::string_view column) const {
    const int found = table.column(column);
    if (found < 0)
      throw Error(ErrorCode::bad_file, "the table has no column \"{}\"", column)
          .with("found", fmt::format("{}", fmt::join(table.columns, ", ")));
    return found;
  }

  static std::string value(const CsvTable& table, const std::vector<std::string>& row,
                           std::string_view column) {
    const int index = table.column(column);
    return index < 0 ? "" : row[static_cast<size_t>(index)];
  }

  static Json frames_of(const CsvTable& table, const std::vector<std::string>& row) {
    Json data = Json::object();
    for (const auto& [column, field] : {std::pair{"Nb Frames", "frames"},
                                        {"Frames", "frames"},
                                        {"Frame In", "frame_in"},
                                        {"Frame Out", "frame_out"},
                                        {"FPS", "fps"}}) {
      if (const auto number = parse_double(value(table, row, column))) data[field] = *number;
    }
    return data;
  }

  std::string type_code(std::string_view name) {
    const std::string wanted = lower_ascii(trim(name));
    for (const db::Row& type :
         change_->query("SELECT code, name FROM asset_types WHERE show_id = :s", {{"s", show_.text("id")}})) {
      if (lower_ascii(type.text("code")) == wanted || lower_ascii(type.text("name")) == wanted)
        return type.text("code");
    }
    throw Error(ErrorCode::not_found, "the show has no asset type \"{}\"", name)
        .hint("maquette asset-type create {} CODE", show_.text("code"));
  }

  db::Row entity(const std::string& path) {
    return production::find_entity(*change_, show_.text("code") + "/" + path);
  }

  std::optional<db::Row> known(const std::string& parent_id, const std::string& code) {
    std::string path = code;
    if (!parent_id.empty()) path = production::find_entity(*change_, parent_id).text("path") + "/" + code;
    return change_->first("SELECT * FROM entities WHERE show_id = :s AND path = :p",
                          {{"s", show_.text("id")}, {"p", path}});
  }

  std::string ensure(const std::string& kind, const std::string& parent, const std::string& code,
                     const std::string& brief) {
    if (const auto row = known(parent, code)) return row->text("id");
    ++counts_.created;
    return production::create_entity(change_, show_,
                                     {.kind = kind, .parent_id = parent, .code = code, .brief = brief});
  }

  void put(const std::string& kind, const std::string& parent, const std::string& code,
           const std::string& brief, const std::string& type, Json data) {
    if (data.is_null()) data = Json::object();
    if (const auto row = known(parent, code)) {
      // An empty field of the table says nothing.
      production::update_entity(change_, *row,
                                {.brief = brief.empty() ? std::nullopt : std::optional(brief),
                                 .data = data.empty() ? Json() : data});
      ++counts_.updated;
      return;
    }
    production::create_entity(
        change_, show_,
        {.kind = kind, .parent_id = parent, .code = code, .brief = brief, .asset_type = type, .data = data});
    ++counts_.created;
  }

  const Change& change_;
  const db::Row& show_;
  Counts counts_;
};

}  // namespace

Json import_table(const Change& change, const db::Row& show, const std::string& what, std::string_view text) {
  Importer importer(change, show);
  size_t lines = 0;
  if (what == "edl") {
    importer.edl(text);
  } else {
    const CsvTable table = parse_csv(text);
    lines = table.rows.size();
    if (what == "shots") {
      importer.shots(table);
    } else if (what == "assets") {
      importer.assets(table);
    } else if (what == "casting") {
      importer.casting(table);
    } else {
      throw Error(ErrorCode::usage, "cannot import \"{}\"", what)
          .with("expected", "shots, assets, casting, edl");
    }
  }
  return {{"created", importer.counts().created}, {"updated", importer.counts().updated}, {"lines", lines}};
}

}  // namespace maquette::app
