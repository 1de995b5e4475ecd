// A fresh database of either kind for one test, gone at its end. Test programs include this, the program does
// not. PostgreSQL needs MAQUETTE_TEST_POSTGRESQL, an address whose user may create databases.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/identifiers.h"
#include "db/database.h"

namespace maquette::db {

inline std::vector<Backend> test_backends() {
  std::vector<Backend> backends = {Backend::sqlite};
  if (std::getenv("MAQUETTE_TEST_POSTGRESQL")) backends.push_back(Backend::postgresql);
  return backends;
}

class TestDatabase {
 public:
  enum class Content { schema, nothing };
  explicit TestDatabase(Backend backend, Content content = Content::schema) try : content_(content) {
    make(backend);
  } catch (const Error& error) {
    throw std::runtime_error(error.message());
  }
  ~TestDatabase() { remove(); }
  Database& database() { return *database_; }
  const std::string& url() const { return url_; }
  // Another one in its place.
  void clear() {
    const Backend backend = server_.empty() ? Backend::sqlite : Backend::postgresql;
    remove();
    make(backend);
  }
  // The SQLite files of another folder in its place.
  void become(const std::filesystem::path& folder) {
    remove();
    folder_ = folder;
    url_ = (folder / "studio.db").string();
  }

 private:
  void make(Backend backend) {
    const std::string name = "maquette_test_" + lower_hex(random_bytes(6));
    if (backend == Backend::sqlite) {
      folder_ = std::filesystem::temp_directory_path() / name;
      std::filesystem::create_directories(folder_);
      url_ = (folder_ / "studio.db").string();
    } else {
      server_ = std::getenv("MAQUETTE_TEST_POSTGRESQL");
      Connection(server_, Backend::postgresql).execute("CREATE DATABASE " + name);
      name_ = name;
      const size_t query = std::min(server_.find('?'), server_.size());
      const size_t path = server_.rfind('/', query);
      url_ = server_.substr(0, path + 1) + name + server_.substr(query);
    }
    if (content_ == Content::schema) database_ = Database::open(url_);
  }
  void remove() {
    database_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
    if (!name_.empty())
      Connection(server_, Backend::postgresql).execute("DROP DATABASE " + name_ + " WITH (FORCE)");
  }

  Content content_;
  std::filesystem::path folder_;
  std::string server_, name_, url_;
  std::unique_ptr<Database> database_;
};

}  // namespace maquette::db
