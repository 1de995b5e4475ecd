#include "base/record_file.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"

namespace maquette {
namespace {

const std::string kHeader = "a header\n";

class RecordFiles : public testing::Test {
 protected:
  void SetUp() override { fs::remove(path_); }
  void TearDown() override { fs::remove(path_); }

  std::vector<std::string> all() {
    RecordFile file(path_, kHeader);
    std::vector<std::string> records;
    while (const std::optional<std::string> record = file.read()) records.push_back(*record);
    return records;
  }
  std::string bytes() { return read_text_file(path_).take(); }

  const fs::path path_ = fs::path(testing::TempDir()) / fmt::format("records_{}", ::getpid());
  const std::vector<std::string> records_{"first", "", std::string(1000, 'x'), "last"};

  void write_records() {
    RecordFile file(path_, kHeader);
    for (const std::string& record : records_) file.append(record);
  }
};

TEST_F(RecordFiles, give_back_what_was_appended) {
  write_records();
  EXPECT_EQ(all(), records_);
}

TEST_F(RecordFiles, go_on_after_the_record_that_was_read_last) {
  write_records();
  {
    RecordFile file(path_, kHeader);
    EXPECT_EQ(file.read(), "first");
    EXPECT_EQ(file.read(), "");
    file.step_back();
    file.append("second");
    file.append("third");
  }
  EXPECT_EQ(all(), (std::vector<std::string>{"first", "second", "third"}));
  {
    RecordFile file(path_, kHeader);
    while (file.read()) continue;
    file.rewind();
    EXPECT_EQ(file.read(), "first");
  }
}

TEST_F(RecordFiles, end_where_they_were_torn) {
  write_records();
  const std::string whole = bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    write_file_atomically(path_, whole.substr(0, size));
    const std::vector<std::string> found = all();
    ASSERT_LT(found.size(), records_.size()) << size;
    EXPECT_TRUE(std::equal(found.begin(), found.end(), records_.begin())) << size;
  }
}

TEST_F(RecordFiles, end_where_a_byte_is_another) {
  write_records();
  const std::string whole = bytes();
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    write_file_atomically(path_, damaged);
    const std::vector<std::string> found = all();
    ASSERT_LT(found.size(), records_.size()) << at;
    EXPECT_TRUE(std::equal(found.begin(), found.end(), records_.begin())) << at;
  }
}

TEST_F(RecordFiles, hold_no_record_in_another_place) {
  {
    RecordFile file(path_, kHeader);
    file.append("one");
    file.append("two");
  }
  const std::string whole = bytes();
  const std::string records = whole.substr(kHeader.size());
  const size_t half = records.size() / 2;
  write_file_atomically(path_, kHeader + records.substr(half) + records.substr(0, half));
  EXPECT_TRUE(all().empty());
}

TEST_F(RecordFiles, of_another_header_are_emptied) {
  write_records();
  {
    RecordFile file(path_, "another\n");
    EXPECT_TRUE(file.had_another_header());
    EXPECT_FALSE(file.read());
  }
  RecordFile file(path_, "another\n");
  EXPECT_FALSE(file.had_another_header());
}

TEST_F(RecordFiles, have_one_user_at_a_time) {
  const RecordFile first(path_, kHeader);
  EXPECT_THROW(RecordFile(path_, kHeader), Error);
}

TEST_F(RecordFiles, must_be_files) {
  EXPECT_THROW(RecordFile(testing::TempDir(), kHeader), Error);
  EXPECT_THROW(RecordFile("/dev/null", kHeader), Error);
  EXPECT_THROW(RecordFile("/no/such/folder/file", kHeader), Error);
}

// What happens on a full disk, here with a limit on the size of files.
TEST_F(RecordFiles, stay_whole_where_there_is_no_room) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  {
    RecordFile file(path_, kHeader);
    file.append("first");
    const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_THROW(file.append(std::string(5000, 'x')), Error);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    file.append("second");
  }
  std::signal(SIGXFSZ, previous);
  EXPECT_EQ(all(), (std::vector<std::string>{"first", "second"}));
}

}  // namespace
}  // namespace maquette
