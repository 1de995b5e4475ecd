// The schema as numbered steps, forward only: what a database has is in its table schema_migrations, the rest
// is applied when it is opened, each step in a transaction of its own.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "db/database.h"

namespace maquette::db {

struct Migration {
  std::string_view name;  // "0001_studio": the file's name
  // Statements that end with a semicolon at the end of a line. {{serial}} is a key that counts by itself;
  // lines between "-- sqlite" or "-- postgresql" and "-- both" are for one kind of database.
  std::string_view sql;
};

std::span<const Migration> migrations();

// Applies what is missing, each step whole or not at all. Throws Error(conflict) where the database is newer
// than the program, and where an applied step is not the one that the program knows.
void migrate(Connection& connection, std::span<const Migration> steps = migrations());

// The statements of a step for one kind of database.
std::vector<std::string> statements_of(const Migration& migration, Backend backend);

}  // namespace maquette::db
