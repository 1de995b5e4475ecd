// Statements through SOCI with rows of any shape. SOCI binds by reference: the values live in the caller's
// bindings until the statement has run.
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <stdexcept>

#include "db/database.h"

namespace maquette::db {

struct Connection::Session {
  soci::session soci;
};

Value or_null(std::string text) { return text.empty() ? Value() : Value(std::move(text)); }
Value or_null(const std::optional<std::string>& text) { return text ? Value(*text) : Value(); }

// --- rows ---

const Value& Row::at(std::string_view column) const {
  for (size_t i = 0; i < names_->size(); ++i) {
    if ((*names_)[i] == column) return values_[i];
  }
  throw std::logic_error(fmt::format("no column \"{}\"", column));
}

bool Row::is_null(std::string_view column) const { return at(column).index() == 0; }

// SOCI may hand over the value of an expression as text: SQLite declares no types for them.
int64_t Row::integer(std::string_view column) const {
  const Value& value = at(column);
  if (value.index() == 0) return 0;
  if (const auto* real = std::get_if<double>(&value)) return static_cast<int64_t>(*real);
  if (const auto* text = std::get_if<std::string>(&value)) return std::stoll(*text);
  return std::get<int64_t>(value);
}

double Row::real(std::string_view column) const {
  const Value& value = at(column);
  if (value.index() == 0) return 0;
  if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* text = std::get_if<std::string>(&value)) return std::stod(*text);
  return std::get<double>(value);
}

std::string Row::text(std::string_view column) const {
  const Value& value = at(column);
  return value.index() == 0 ? std::string() : std::get<std::string>(value);
}

namespace {

Value value_of(const soci::row& row, size_t i) {
  if (row.get_indicator(i) == soci::i_null) return {};
  switch (row.get_properties(i).get_data_type()) {
    case soci::dt_string: return row.get<std::string>(i);
    case soci::dt_double: return row.get<double>(i);  // PostgreSQL's avg() of whole numbers too
    case soci::dt_integer: return int64_t{row.get<int>(i)};
    case soci::dt_long_long: return int64_t{row.get<long long>(i)};
    case soci::dt_unsigned_long_long: return static_cast<int64_t>(row.get<unsigned long long>(i));
    default: break;
  }
  throw std::logic_error(
      fmt::format("column \"{}\" has a type that is not used here", row.get_properties(i).get_name()));
}

// A value in the form that SOCI refers to.
struct Bound {
  std::string name;
  soci::indicator indicator = soci::i_ok;
  long long whole = 0;
  double real = 0;
  std::string text;
  size_t kind;

  explicit Bound(const Binding& binding) : name(binding.name), kind(binding.value.index()) {
    if (kind == 0) indicator = soci::i_null;
    if (kind == 1) whole = std::get<int64_t>(binding.value);
    if (kind == 2) real = std::get<double>(binding.value);
    if (kind == 3) text = std::get<std::string>(binding.value);
  }
  void bind(soci::details::prepare_temp_type& prepared) {
    if (kind == 1) {
      prepared, soci::use(whole, indicator, name);
    } else if (kind == 2) {
      prepared, soci::use(real, indicator, name);
    } else {
      prepared, soci::use(text, indicator, name);
    }
  }
};

// What must be there once only: "shows.code" of SQLite's message, "(code)" of PostgreSQL's. The rest of
// either tells the statement and its values, which are nobody's business.
std::string key_in(std::string_view message) {
  for (const auto& [before, behind] :
       {std::pair("UNIQUE constraint failed: ", " while executing"), std::pair("DETAIL:  Key ", "=")}) {
    const size_t start = message.find(before);
    if (start == message.npos) continue;
    const std::string_view key = message.substr(start + std::string_view(before).size());
    return std::string(key.substr(0, std::min(key.find(behind), key.find('\n'))));
  }
  return "";
}

[[noreturn]] void throw_error(const std::exception& problem, std::string_view sql) {
  bool unique = false;
  bool reference = false;
  const std::string_view what = problem.what();
  if (const auto* e = dynamic_cast<const soci::postgresql_soci_error*>(&problem)) {
    unique = e->sqlstate() == "23505";
    reference = e->sqlstate() == "23503";
  } else {
    unique = what.find("UNIQUE constraint") != what.npos;
    reference = what.find("FOREIGN KEY constraint") != what.npos;
  }
  if (unique) {
    Error error(ErrorCode::conflict, "it exists already");
    if (const std::string key = key_in(what); !key.empty()) error.with("found", "the same " + key);
    throw error;
  }
  if (reference)
    throw Error(ErrorCode::usage, "it refers to something that does not exist").with("found", what);
  throw Error(ErrorCode::failed, "the database refuses a statement")
      .with("found", what)
      .with("statement", sql.substr(0, 300));
}

template <typename Action>
auto translated(std::string_view sql, const Action& action) {
  try {
    return action();
  } catch (const soci::soci_error& problem) {
    throw_error(problem, sql);
  }
}

}  // namespace

// --- connections ---

namespace {

// Durable writes (a power cut costs no commit), readers that do not wait for the writer.
constexpr std::string_view kSqliteSettings[] = {"PRAGMA journal_mode=WAL",    "PRAGMA synchronous=FULL",
                                                "PRAGMA foreign_keys=ON",     "PRAGMA busy_timeout=30000",
                                                "PRAGMA cache_size=-65536",   "PRAGMA temp_store=MEMORY",
                                                "PRAGMA mmap_size=1073741824"};
// Questions here are short: compiling one takes longer than it runs. The memory holds the takes of a frequent
// word one by one; with the usual 4 MB the index gives whole pages, whose rows are all read again.
constexpr std::string_view kPostgresqlSettings[] = {
    "SET client_min_messages TO warning", "SET TIME ZONE 'UTC'", "SET jit TO off", "SET work_mem TO '32MB'"};

}  // namespace

Connection::Connection(const std::string& url, Backend backend)
    : session_(std::make_unique<Session>()), backend_(backend) {
  try {
    if (backend == Backend::sqlite) {
      session_->soci.open(soci::sqlite3, "db=\"" + url + "\" timeout=30");
      for (const std::string_view setting : kSqliteSettings) session_->soci.once << std::string(setting);
    } else {
      session_->soci.open(soci::postgresql, url);
      for (const std::string_view setting : kPostgresqlSettings) session_->soci.once << std::string(setting);
    }
  } catch (const soci::soci_error& problem) {
    throw Error(ErrorCode::not_found, "cannot open the database")
        .with("found", problem.what())
        .hint("--db names a SQLite file or postgresql://user@host/name");
  }
}

Connection::~Connection() = default;

std::vector<Row> Connection::query(std::string_view sql, const Bindings& bindings) {
  return translated(sql, [&] {
    std::vector<Bound> bound(bindings.begin(), bindings.end());
    soci::row row;
    soci::details::prepare_temp_type prepared = session_->soci.prepare << std::string(sql);
    for (Bound& value : bound) value.bind(prepared);
    prepared, soci::into(row);
    soci::statement statement(prepared);

    std::vector<Row> rows;
    std::shared_ptr<std::vector<std::string>> names;
    for (bool more = statement.execute(true); more; more = statement.fetch()) {
      if (!names) {
        names = std::make_shared<std::vector<std::string>>();
        for (size_t i = 0; i < row.size(); ++i) names->push_back(row.get_properties(i).get_name());
      }
      Row& copy = rows.emplace_back();
      copy.names_ = names;
      for (size_t i = 0; i < row.size(); ++i) copy.values_.push_back(value_of(row, i));
    }
    return rows;
  });
}

std::optional<Row> Connection::first(std::string_view sql, const Bindings& bindings) {
  std::vector<Row> rows = query(sql, bindings);
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

int64_t Connection::execute(std::string_view sql, const Bindings& bindings) {
  return translated(sql, [&]() -> int64_t {
    std::vector<Bound> bound(bindings.begin(), bindings.end());
    soci::details::prepare_temp_type prepared = session_->soci.prepare << std::string(sql);
    for (Bound& value : bound) value.bind(prepared);
    soci::statement statement(prepared);
    statement.execute(true);
    return statement.get_affected_rows();
  });
}

void Connection::insert(std::string_view table, const Bindings& columns) {
  std::string names, values;
  for (const Binding& column : columns) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", column.name);
    values += fmt::format("{}:{}", values.empty() ? "" : ", ", column.name);
  }
  execute(fmt::format("INSERT INTO {} ({}) VALUES ({})", table, names, values), columns);
}

bool Connection::update(std::string_view table, const Bindings& columns, const Binding& key) {
  std::string assignments;
  for (const Binding& column : columns) {
    assignments += fmt::format("{}{} = :{}", assignments.empty() ? "" : ", ", column.name, column.name);
  }
  Bindings all = columns;
  all.push_back({.name = "key_", .value = key.value});
  return execute(fmt::format("UPDATE {} SET {} WHERE {} = :key_", table, assignments, key.name), all) > 0;
}

void Connection::begin(bool writes) {
  // SQLite takes the right to write at the beginning: one that read first and then wants to write may be
  // refused.
  execute(backend_ == Backend::sqlite && writes ? "BEGIN IMMEDIATE" : "BEGIN");
  in_transaction_ = true;
}

void Connection::commit() {
  execute("COMMIT");
  in_transaction_ = false;
}

void Connection::end(std::string_view statement) noexcept {
  try {
    execute(statement);
  } catch (const std::exception&) {  // the connection is gone, and its transaction with it
  }
  in_transaction_ = false;
}

}  // namespace maquette::db
