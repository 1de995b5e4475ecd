// Database: connections to SQLite (a file, the default) or PostgreSQL (a studio's server) behind one set of
// calls, so that the folders above write each statement once. Only this folder knows SOCI.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace maquette::db {

enum class Backend { sqlite, postgresql };

using Value = std::variant<std::monostate, int64_t, double, std::string>;  // monostate: NULL

// Empty texts are texts; this makes NULL of them, for columns that refer to something or to nothing.
Value or_null(std::string text);
Value or_null(const std::optional<std::string>& text);

// One value of a statement: ":name" in its text.
struct Binding {
  std::string_view name;
  Value value;
};
using Bindings = std::vector<Binding>;

// One line of an answer. Asking for a column that is not there, or for a type that it has not, is a mistake
// of the program and throws std::logic_error.
class Row {
 public:
  bool is_null(std::string_view column) const;
  int64_t integer(std::string_view column) const;   // NULL: 0
  double real(std::string_view column) const;       // whole numbers too; NULL: 0
  std::string text(std::string_view column) const;  // NULL: ""
  bool flag(std::string_view column) const { return integer(column) != 0; }

 private:
  friend class Connection;
  const Value& at(std::string_view column) const;
  std::shared_ptr<const std::vector<std::string>> names_;
  std::vector<Value> values_;
};

// For one thread at a time; the values of statements are always bound, never pasted into the text.
// Errors: conflict where something must be unique and is not; usage where something referred to is missing;
// failed otherwise.
class Connection {
 public:
  Connection(const std::string& url, Backend backend);
  ~Connection();
  Backend backend() const { return backend_; }

  std::vector<Row> query(std::string_view sql, const Bindings& bindings = {});
  std::optional<Row> first(std::string_view sql, const Bindings& bindings = {});
  // Returns the number of rows changed.
  int64_t execute(std::string_view sql, const Bindings& bindings = {});
  // INSERT INTO table (names...) VALUES (values...)
  void insert(std::string_view table, const Bindings& columns);
  // UPDATE table SET names = values WHERE key = its value; returns whether there was such a row.
  bool update(std::string_view table, const Bindings& columns, const Binding& key);

 private:
  friend class Transaction;
  friend class Database;
  void begin(bool writes);
  void end(std::string_view statement) noexcept;
  void commit();
  struct Session;
  std::unique_ptr<Session> session_;
  Backend backend_;
  bool in_transaction_ = false;
};

// One connection of a database's pool, given back at the end.
class Lease {
 public:
  Lease(Lease&&) = default;
  ~Lease();
  Connection& operator*() const { return *connection_; }
  Connection* operator->() const { return connection_.get(); }

 private:
  friend class Database;
  Lease(class Database& database, std::unique_ptr<Connection> connection);
  class Database* database_;
  std::unique_ptr<Connection> connection_;
};

class Database {
 public:
  // "studio.db" or "sqlite:///absolute/studio.db", "postgresql://user@host/name"; applies the migrations that
  // are missing. Throws Error.
  static std::unique_ptr<Database> open(const std::string& url);
  explicit Database(std::string url);
  ~Database();

  Backend backend() const { return backend_; }
  // The address without its password, for messages.
  std::string printable_url() const;
  // Waits while all connections are in use.
  Lease connect();
  // A consistent copy of a SQLite database while others write to it. Throws Error(usage) for PostgreSQL,
  // which has pg_dump.
  void copy_to(const std::filesystem::path& file);

 private:
  friend class Lease;
  friend class Transaction;
  void give_back(std::unique_ptr<Connection> connection);

  std::string url_;
  Backend backend_;
  std::mutex mutex_;
  std::condition_variable free_;
  std::vector<std::unique_ptr<Connection>> idle_;
  size_t open_ = 0;
  std::mutex writer_;  // SQLite has one writer at a time: waiting here is fairer than its own polling
};

// Everything between its construction and commit() happens, or nothing. Holds the right to write: SQLite
// gives it to one transaction at a time.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();  // takes back unless committed
  Connection& operator*() const { return *lease_; }
  Connection* operator->() const { return &*lease_; }
  void commit();

  // Nobody else changes this row of the table until the end of the transaction.
  void lock_row(std::string_view table, std::string_view id);
  // From here to the end of the transaction, no other one that took its turn commits: numbers given out after
  // this are in the order of commits. (SQLite: always so.)
  void take_turn();

 private:
  std::unique_lock<std::mutex> writer_;
  Lease lease_;
  bool open_ = true;
};

}  // namespace maquette::db
