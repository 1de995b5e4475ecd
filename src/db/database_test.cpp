// Runs on SQLite, and on PostgreSQL too where MAQUETTE_TEST_POSTGRESQL names a server (scripts/test starts
// one).
#include "db/database.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <thread>

#include "base/identifiers.h"
#include "db/migrations.h"
#include "db/test_database.h"

namespace maquette::db {
namespace {

class DatabaseTest : public testing::TestWithParam<Backend> {
 protected:
  TestDatabase test_{GetParam()};
  Database& database_ = test_.database();
};

TEST_P(DatabaseTest, ValuesComeBackAsTheyWere) {
  const Lease c = database_.connect();
  c->execute("CREATE TABLE t (a BIGINT, b BIGINT, c TEXT)");
  const std::string text = "it's 100 % \"quoted\"; DROP TABLE t; -- \xc3\xa9\xe2\x98\x83 :name";
  c->insert("t", {{"a", int64_t{1} << 60}, {"b", int64_t{-1}}, {"c", text}});
  c->insert("t", {{"a", Value()}, {"b", Value()}, {"c", ""}});
  const auto rows = c->query("SELECT * FROM t ORDER BY c DESC");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].integer("a"), int64_t{1} << 60);
  EXPECT_EQ(rows[0].integer("b"), -1);
  EXPECT_EQ(rows[0].text("c"), text);
  EXPECT_TRUE(rows[1].is_null("a"));
  EXPECT_FALSE(rows[1].is_null("c"));
  EXPECT_EQ(c->first("SELECT count(*) AS n FROM t")->integer("n"), 2);
  EXPECT_EQ(c->first("SELECT avg(b) AS mean FROM t")->real("mean"), -1.0);
  EXPECT_THROW(rows[0].text("d"), std::logic_error);
}

TEST_P(DatabaseTest, ATransactionHappensWholeOrNotAtAll) {
  database_.connect()->execute("CREATE TABLE t (a BIGINT PRIMARY KEY)");
  {
    Transaction tx(database_);
    tx->insert("t", {{"a", int64_t{1}}});
  }
  {
    Transaction tx(database_);
    tx->insert("t", {{"a", int64_t{2}}});
    tx.commit();
  }
  {
    Transaction tx(database_);
    tx->insert("t", {{"a", int64_t{3}}});
    try {
      tx->insert("t", {{"a", int64_t{2}}});
      FAIL() << "the same key twice";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::conflict) << error.message();
    }
  }
  const auto rows = database_.connect()->query("SELECT a FROM t");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].integer("a"), 2);
}

TEST_P(DatabaseTest, CountersOfManyThreadsLoseNothing) {
  database_.connect()->execute("CREATE TABLE t (id TEXT PRIMARY KEY, n BIGINT NOT NULL)");
  database_.connect()->execute("INSERT INTO t VALUES ('x', 0)");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 25; ++j) {
        Transaction tx(database_);
        tx.lock_row("t", "x");
        const int64_t n = tx->first("SELECT n FROM t WHERE id = 'x'")->integer("n");
        tx->update("t", {{"n", n + 1}}, {"id", "x"});
        tx.commit();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(database_.connect()->first("SELECT n FROM t")->integer("n"), 100);
}

TEST_P(DatabaseTest, EventsAndTakesAreNeverRemoved) {
  const Lease c = database_.connect();
  c->insert("events", {{"id", new_uuid()},
                       {"at", utc_now()},
                       {"role", "artist"},
                       {"action", "show:create"},
                       {"subject_kind", "show"},
                       {"subject_id", "1"}});
  EXPECT_THROW(c->execute("UPDATE events SET role = 'nobody'"), Error);
  EXPECT_THROW(c->execute("DELETE FROM events"), Error);
}

TEST_P(DatabaseTest, MigratingTwiceChangesNothing) {
  const Lease c = database_.connect();
  migrate(*c);
  EXPECT_EQ(c->query("SELECT name FROM schema_migrations").size(), migrations().size());
  c->execute("INSERT INTO schema_migrations VALUES ('9999_future', 'x', 'y')");
  EXPECT_THROW(migrate(*c), Error);
}

std::string backend_name(const testing::TestParamInfo<Backend>& info) {
  return info.param == Backend::sqlite ? "sqlite" : "postgresql";
}

INSTANTIATE_TEST_SUITE_P(Both, DatabaseTest, testing::ValuesIn(test_backends()), backend_name);

}  // namespace
}  // namespace maquette::db
