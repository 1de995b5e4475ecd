// Every schema that was released, opened with today's program: tests/golden/db/ holds rows for each of its
// tables. On SQLite, and on PostgreSQL too where MAQUETTE_TEST_POSTGRESQL names a server.
#include "db/migrations.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <regex>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "db/test_database.h"

namespace maquette::db {
namespace {

struct Released {
  std::string schema;
  std::vector<std::string> inserts;
};

// The files of tests/golden/db, in the order of their numbers.
std::vector<Released> released_schemas() {
  std::vector<Released> list;
  for (const auto& entry : fs::directory_iterator("tests/golden/db")) {
    Released released{.schema = entry.path().stem().string(), .inserts = {}};
    for (const std::string& line : split(read_text_file(entry.path()).take(), '\n')) {
      if (line.starts_with("INSERT")) released.inserts.push_back(line.substr(0, line.rfind(';')));
    }
    list.push_back(std::move(released));
  }
  std::ranges::sort(list, {}, &Released::schema);
  return list;
}

// "INSERT INTO takes (id, title) VALUES ('1', 'it''s');" -> takes, {id: '1', title: 'it''s'} as literals.
struct Inserted {
  std::string table;
  std::vector<std::pair<std::string, std::string>> literals;
};

Inserted read_insert(const std::string& statement) {
  static const std::regex kForm(R"(INSERT INTO (\w+) \(([^)]*)\) VALUES \((.*)\))");
  static const std::regex kLiteral(R"('(?:[^']|'')*'|NULL|-?\d+)");
  std::smatch parts;
  if (!std::regex_match(statement, parts, kForm)) throw std::runtime_error("no INSERT: " + statement);
  Inserted inserted{.table = parts[1], .literals = {}};
  const std::string values = parts[3];
  std::sregex_iterator value(values.begin(), values.end(), kLiteral);
  for (const std::string& column : split(parts[2].str(), ',')) {
    if (value == std::sregex_iterator()) throw std::runtime_error("too few values: " + statement);
    inserted.literals.emplace_back(trim(column), value->str());
    ++value;
  }
  return inserted;
}

int64_t count(Connection& c, const std::string& table, const std::string& where = "1 = 1") {
  return c.first(fmt::format("SELECT count(*) AS n FROM {} WHERE {}", table, where))->integer("n");
}

class MigrationsTest : public testing::TestWithParam<Backend> {
 protected:
  // A database as the program of that time left it: its steps alone, and the rows.
  void fill(const Released& released) {
    Connection c(test_.url(), GetParam());
    c.execute(
        "CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, hash TEXT NOT NULL, applied_at TEXT NOT "
        "NULL)");
    for (const Migration& step : migrations()) {
      if (step.name > released.schema) break;
      for (const std::string& statement : statements_of(step, GetParam())) c.execute(statement);
    }
    for (const std::string& insert : released.inserts) c.execute(insert);
  }
  void expect_everything(const Released& released) {
    const auto database = Database::open(test_.url());
    const Lease c = database->connect();
    std::map<std::string, int64_t> rows;
    for (const std::string& insert : released.inserts) {
      const Inserted inserted = read_insert(insert);
      ++rows[inserted.table];
      std::string where = "1 = 1";
      for (const auto& [column, literal] : inserted.literals)
        where += fmt::format(" AND {} {} {}", column, literal == "NULL" ? "IS" : "=", literal);
      EXPECT_EQ(count(*c, inserted.table, where), 1) << insert;
    }
    for (const auto& [table, n] : rows) {
      const int64_t steps = table == "schema_migrations" ? std::ssize(migrations()) : n;
      EXPECT_EQ(count(*c, table), steps) << table;
    }
  }
  std::vector<std::string> tables() {
    Connection c(test_.url(), GetParam());
    std::vector<std::string> names;
    for (const Row& row : c.query(
             GetParam() == Backend::sqlite
                 ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name "
                   "NOT LIKE 'takes_search%' ORDER BY name"
                 : "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"))
      names.push_back(row.text("name"));
    return names;
  }
  void migrate_with(const Migration& more) {
    std::vector<Migration> steps(migrations().begin(), migrations().end());
    steps.push_back(more);
    Connection c(test_.url(), GetParam());
    migrate(c, steps);
  }

  TestDatabase test_{GetParam(), TestDatabase::Content::nothing};
};

constexpr Migration kBroken = {"9998_broken",
                               "CREATE TABLE half (a TEXT);\n"
                               "ALTER TABLE shows ADD COLUMN half TEXT;\n"
                               "UPDATE shows SET name = 'half';\n"
                               "INSERT INTO nowhere VALUES (1);\n"};

TEST_P(MigrationsTest, EveryReleasedSchemaIsOpenedWithEverythingInIt) {
  ASSERT_EQ(released_schemas().size(), migrations().size()) << "tests/golden/db has no rows for a schema";
  for (const Released& released : released_schemas()) {
    fill(released);
    expect_everything(released);
    test_.clear();
  }
}

TEST_P(MigrationsTest, TheRowsAreOfEveryTable) {
  const Released newest = released_schemas().back();
  fill(newest);
  Connection c(test_.url(), GetParam());
  for (const std::string& table : tables()) EXPECT_GT(count(c, table), 0) << table;
}

TEST_P(MigrationsTest, OneThatFailsMidwayLeavesTheOldSchema) {
  const Released newest = released_schemas().back();
  fill(newest);
  const std::vector<std::string> before = tables();
  EXPECT_THROW(migrate_with(kBroken), Error);
  EXPECT_EQ(tables(), before);
  expect_everything(newest);
  // What follows a failure is not refused.
  migrate_with({"9998_mended", "CREATE TABLE whole (a TEXT);\n"});
  EXPECT_EQ(tables().size(), before.size() + 1);
}

// The files as a kill would leave them: copied while a step is under way.
TEST_P(MigrationsTest, OneThatIsKilledMidwayLeavesTheOldSchema) {
  if (GetParam() != Backend::sqlite) GTEST_SKIP() << "PostgreSQL ends the transaction of a lost connection";
  const Released newest = released_schemas().back();
  fill(newest);
  const std::vector<std::string> before = tables();
  const fs::path left = fs::temp_directory_path() / ("maquette_killed_" + new_uuid());
  {
    Connection c(test_.url(), GetParam());
    c.execute("PRAGMA cache_size=1");  // pages of the unfinished transaction reach the disk
    c.execute("BEGIN IMMEDIATE");
    for (const std::string& statement : statements_of(kBroken, GetParam())) {
      if (!statement.starts_with("INSERT")) c.execute(statement);
    }
    fs::copy(fs::path(test_.url()).parent_path(), left);
    c.execute("ROLLBACK");
  }
  test_.become(left);
  EXPECT_EQ(tables(), before);
  expect_everything(newest);
}

TEST_P(MigrationsTest, ADatabaseOfANewerProgramIsRefusedAndLeftAlone) {
  const Released newest = released_schemas().back();
  fill(newest);
  migrate_with({"9999_future", "ALTER TABLE shows ADD COLUMN mood TEXT;\n"});
  const std::vector<std::string> before = tables();
  try {
    Database::open(test_.url());
    FAIL() << "an old program must not write into it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::conflict);
    EXPECT_NE(error.message().find("newer Maquette"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("9999_future"), std::string::npos) << error.message();
  }
  EXPECT_EQ(tables(), before);
}

TEST_P(MigrationsTest, AStepWithAnotherTextIsRefused) {
  fill(released_schemas().back());
  Connection c(test_.url(), GetParam());
  c.execute("UPDATE schema_migrations SET hash = 'another'");
  try {
    migrate(c);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::conflict) << error.message();
  }
}

TEST_P(MigrationsTest, ManyProgramsMayOpenAnEmptyDatabaseAtOnce) {
  std::vector<std::jthread> programs;
  for (int i = 0; i < 4; ++i) {
    programs.emplace_back([&] {
      try {
        Database::open(test_.url());
      } catch (const Error& error) {
        ADD_FAILURE() << error.message();
      }
    });
  }
  programs.clear();
  Connection c(test_.url(), GetParam());
  EXPECT_EQ(c.query("SELECT name FROM schema_migrations").size(), migrations().size());
}

std::string backend_name(const testing::TestParamInfo<Backend>& info) {
  return info.param == Backend::sqlite ? "sqlite" : "postgresql";
}

INSTANTIATE_TEST_SUITE_P(Both, MigrationsTest, testing::ValuesIn(test_backends()), backend_name);

}  // namespace
}  // namespace maquette::db
