// The tables of an archive, and their rows as JSON.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "db/database.h"

namespace maquette::app {

struct ArchiveTable {
  std::string_view name;
  std::string_view of_show;  // which rows are a show's (":s"); empty: none
};
// In an order in which what is referred to comes first.
const std::vector<ArchiveTable>& archive_tables();

// Rows of one table, in their order; numbers that the database gives by itself ("seq") are left out. show_id
// empty: all.
void visit_rows(db::Connection& c, const ArchiveTable& table, const std::string& show_id,
                const std::function<void(const Json& row)>& visit);
// Throws Error(bad_file) for a table or a column that is none.
void insert_row(db::Connection& c, const std::string& table, const Json& row);

// The columns that hold somebody's id, and those that hold the id of something else in the archive.
bool names_a_person(std::string_view column);
bool refers_to_another_row(std::string_view column);

}  // namespace maquette::app
