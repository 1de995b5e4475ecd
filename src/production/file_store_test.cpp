// The store of a show: what is in it is whole, once, and survives what happens at the same moment.
#include "production/file_store.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "db/test_database.h"
#include "production/shows.h"
#include "production/test_show.h"

namespace maquette::production {
namespace {

class FileStoreTest : public testing::TestWithParam<db::Backend> {
 protected:
  FileStoreTest() : folder_(fs::temp_directory_path() / ("maquette_store_" + new_uuid())) {
    fs::create_directories(folder_);
    write(
        [&](const Change& change) { show_ = create_show(change, {.code = "lanterns", .name = "Lanterns"}); });
  }
  ~FileStoreTest() override { fs::remove_all(folder_); }

  template <typename Work>
  void write(const Work& work) {
    db::Transaction tx(database_);
    work(Change{tx, {"", "program"}});
    tx.commit();
  }
  void enter(const std::string& sha256) {
    write([&](const Change& c) { register_file(c, show_, sha256, 5, "image/png"); });
  }
  void purge(const std::string& sha256) {
    write([&](const Change& c) {
      c->execute("UPDATE files SET purged_at = :at WHERE sha256 = :h", {{"at", utc_now()}, {"h", sha256}});
    });
  }
  size_t names_in_store() const {
    size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "files"))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }

  const fs::path folder_;
  const FileStore store_{folder_};
  db::TestDatabase test_{GetParam()};
  db::Database& database_ = test_.database();
  std::string show_;
};

TEST_P(FileStoreTest, KeepsWholeFilesOnce) {
  const std::string sha256 = store_.put("bytes");
  EXPECT_EQ(sha256, sha256_hex("bytes"));
  EXPECT_EQ(store_.put("bytes"), sha256);
  const fs::path given = folder_ / "given";
  write_file_atomically(given, "bytes");
  EXPECT_EQ(store_.take(given), sha256);
  EXPECT_FALSE(fs::exists(given));
  write_file_atomically(given, "others");
  const std::string others = store_.take(given);
  EXPECT_FALSE(fs::exists(given));
  EXPECT_EQ(read_text_file(store_.path(others)).take(), "others");
  EXPECT_EQ(names_in_store(), 2U);
}

TEST_P(FileStoreTest, ManyWritersOfTheSameBytesLeaveOneFile) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) store_.put(fmt::format("bytes {}", j));
    });
  }
  threads.clear();
  EXPECT_EQ(names_in_store(), 10U);
}

TEST_P(FileStoreTest, AFailedWriteLeavesNothing) {
  fs::create_directories(folder_ / "files");
  const std::string sha256 = sha256_hex("bytes");
  // A file in the place of the folder.
  write_file_atomically(folder_ / "files" / sha256.substr(0, 2), "in the way");
  EXPECT_ANY_THROW(store_.put("bytes"));
  EXPECT_EQ(names_in_store(), 1U);
}

TEST_P(FileStoreTest, APurgeTakesNothingThatIsBack) {
  const std::string sha256 = store_.put("bytes");
  enter(sha256);
  remove_purged(database_, store_, show_, sha256);
  EXPECT_TRUE(store_.has(sha256)) << "it is not purged";
  purge(sha256);
  enter(sha256);  // between the rows and the disk, somebody brought it in again
  remove_purged(database_, store_, show_, sha256);
  EXPECT_TRUE(store_.has(sha256));
  purge(sha256);
  remove_purged(database_, store_, show_, sha256);
  EXPECT_FALSE(store_.has(sha256));
}

TEST_P(FileStoreTest, ManyRegisterTheSameFileAtOnce) {
  const std::string sha256 = store_.put("bytes");
  std::vector<std::jthread> threads;
  std::atomic<int> failures = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      try {
        enter(sha256);
      } catch (const Error&) {
        ++failures;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(failures, 0);
}

INSTANTIATE_TEST_SUITE_P(Both, FileStoreTest, testing::ValuesIn(db::test_backends()), backend_name);

}  // namespace
}  // namespace maquette::production
