// Tables in and out: CSV with the columns that Kitsu uses.
#pragma once

#include "app/studio/studio.h"
#include "production/change.h"

namespace maquette::app {

// RFC 4180 with a semicolon or a comma, UTF-8 with or without a byte order mark; the first line names the
// columns. Throws Error(bad_file) with the line.
struct CsvTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  // -1 where there is no such column; names are compared without case.
  int column(std::string_view name) const;
};
CsvTable parse_csv(std::string_view text);
std::string csv_line(const std::vector<std::string>& values);

// what: shots, assets, casting, tasks, takes.
std::string export_csv(db::Connection& c, const db::Row& show, const std::string& what);
// what: shots, assets, casting, edl. All lines or none. {created, updated, lines}
Json import_table(const production::Change& change, const db::Row& show, const std::string& what,
                  std::string_view text);

}  // namespace maquette::app
