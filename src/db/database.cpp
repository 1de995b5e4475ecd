#include "db/database.h"

#include <filesystem>

#include "db/migrations.h"

namespace maquette::db {

namespace {

constexpr size_t kMostConnections = 16;
constexpr std::string_view kSqlitePrefix = "sqlite://";

bool is_postgresql(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

std::string file_of(const std::string& url) {
  return url.starts_with(kSqlitePrefix) ? url.substr(kSqlitePrefix.size()) : url;
}

}  // namespace

Database::Database(std::string url)
    : url_(is_postgresql(url) ? std::move(url) : file_of(url)),
      backend_(is_postgresql(url_) ? Backend::postgresql : Backend::sqlite) {
  if (backend_ == Backend::sqlite &&
      (url_.empty() || url_.find('"') != url_.npos || url_.find("://") != url_.npos)) {
    throw Error(ErrorCode::usage, "cannot tell which database to open")
        .with("found", url_)
        .with("expected", "a file, sqlite:///file or postgresql://user@host/name");
  }
}

Database::~Database() = default;

std::unique_ptr<Database> Database::open(const std::string& url) {
  auto database = std::make_unique<Database>(url);
  const std::unique_lock writer(database->writer_);
  const Lease lease = database->connect();
  migrate(*lease);
  return database;
}

std::string Database::printable_url() const {
  const size_t at = url_.find('@');
  const size_t scheme = url_.find("://");
  const size_t colon = scheme == url_.npos ? url_.npos : url_.find(':', scheme + 3);
  if (at == url_.npos || colon == url_.npos || colon > at) return url_;
  return url_.substr(0, colon) + url_.substr(at);
}

Lease Database::connect() {
  std::unique_lock lock(mutex_);
  free_.wait(lock, [&] { return !idle_.empty() || open_ < kMostConnections; });
  if (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    return {*this, std::move(connection)};
  }
  ++open_;
  lock.unlock();
  try {
    return {*this, std::make_unique<Connection>(url_, backend_)};
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

void Database::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    if (connection) {
      idle_.push_back(std::move(connection));
    } else {
      --open_;
    }
  }
  free_.notify_one();
}

void Database::copy_to(const std::filesystem::path& file) {
  if (backend_ != Backend::sqlite) {
    throw Error(ErrorCode::usage, "cannot copy a PostgreSQL database to a file").hint("use pg_dump");
  }
  const Lease lease = connect();
  // A snapshot of one moment, also while others write (SQLite, VACUUM INTO).
  lease->execute("VACUUM INTO :file", {{"file", file.string()}});
}

Lease::Lease(Database& database, std::unique_ptr<Connection> connection)
    : database_(&database), connection_(std::move(connection)) {}

Lease::~Lease() {
  if (connection_) database_->give_back(std::move(connection_));
}

Transaction::Transaction(Database& database)
    : writer_(database.writer_, std::defer_lock), lease_(database.connect()) {
  if (database.backend() == Backend::sqlite) writer_.lock();
  lease_->begin(true);
}

Transaction::~Transaction() {
  if (open_) lease_->end("ROLLBACK");
}

void Transaction::commit() {
  lease_->commit();
  open_ = false;
}

void Transaction::lock_row(std::string_view table, std::string_view id) {
  if (lease_->backend() == Backend::sqlite) return;  // the only writer as it is
  lease_->query(fmt::format("SELECT id FROM {} WHERE id = :id FOR UPDATE", table), {{"id", std::string(id)}});
}

void Transaction::take_turn() {
  if (lease_->backend() == Backend::sqlite) return;
  lease_->execute("SELECT pg_advisory_xact_lock(4)");
}

}  // namespace maquette::db
