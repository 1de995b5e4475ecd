#include "base/partial_files.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace maquette {
namespace {

class PartialFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("partial_files_{}", ::getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path make(const std::string& name) {
    write_file_atomically(folder_ / name, "x");
    return folder_ / name;
  }
  static void age(const fs::path& path, std::chrono::hours hours) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - hours);
  }

  fs::path folder_;
};

TEST_F(PartialFiles, of_a_killed_process_go) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {  // writes half a file and waits for its end
    const fs::path partial = partial_name(folder_ / "two words.and.dots.png");
    write_file_atomically(partial, "half");
    const std::string name = partial.string() + "\n";
    if (::write(ends[1], name.data(), name.size()) < 0) ::_exit(1);
    for (;;) ::pause();
  }
  std::string name(4096, '\0');
  const ssize_t size = ::read(ends[0], name.data(), name.size());
  ASSERT_GT(size, 0);
  const fs::path partial(std::string(trim(std::string_view(name).substr(0, static_cast<size_t>(size)))));

  remove_stale_partial_files(folder_);
  EXPECT_TRUE(fs::exists(partial)) << "its process is alive";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  remove_stale_partial_files(folder_);
  EXPECT_FALSE(fs::exists(partial));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(PartialFiles, of_living_processes_stay) {
  const fs::path own = partial_name(folder_ / "a.png");
  write_file_atomically(own, "x");
  age(own, std::chrono::hours(72));  // paused for a long time
  remove_stale_partial_files(folder_);
  EXPECT_TRUE(fs::exists(own));
}

TEST_F(PartialFiles, of_other_machines_go_after_a_day) {
  const fs::path fresh = make(".a.0123abcd-1-1.partial.png");
  const fs::path old = make(".b.0123abcd-1-1.partial.png");
  const fs::path bare = make(".c.0123abcd-1-12.partial");
  age(old, std::chrono::hours(25));
  age(bare, std::chrono::hours(25));
  remove_stale_partial_files(folder_);
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_FALSE(fs::exists(old));
  EXPECT_FALSE(fs::exists(bare));
}

TEST_F(PartialFiles, nothing_else_is_touched) {
  std::vector<fs::path> kept;
  for (const char* name :
       {"a.0123abcd-1-1.partial.png", ".a.partial.png", ".partial", ".partial.png",
        ".0123abcd-1-1.partial.png", ".a.0123abc-1-1.partial.png", ".a.0123ABCD-1-1.partial.png",
        ".a.0123abcd-1.partial.png", ".a.0123abcd--1.partial.png", ".a.0123abcd-x-1.partial.png",
        ".a.0123abcd-1-1.partial.png.bak", ".a.0123abcd-1-1.part", ".a.0123abcd-99999999999-1.partial.png"}) {
    kept.push_back(make(name));
    age(kept.back(), std::chrono::hours(72));
  }
  const fs::path folder = folder_ / ".d.0123abcd-1-1.partial.png";
  fs::create_directory(folder);
  const fs::path target = make("target.png");
  const fs::path link = folder_ / ".e.0123abcd-1-1.partial.png";
  fs::create_symlink(target, link);
  remove_stale_partial_files(folder_);
  for (const fs::path& path : kept) EXPECT_TRUE(fs::exists(path)) << path;
  EXPECT_TRUE(fs::exists(folder));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_TRUE(fs::exists(target));
  remove_stale_partial_files("/nonexistent");
}

// The first file that a process writes in a folder tidies it.
TEST_F(PartialFiles, go_when_the_next_file_is_written) {
  const fs::path inner = folder_ / "inner";
  fs::create_directory(inner);
  const fs::path old = make("inner.tmp");
  const fs::path stale = inner / ".b.0123abcd-1-1.partial.png";
  fs::rename(old, stale);
  age(stale, std::chrono::hours(25));
  write_file_atomically(inner / "new.txt", "x");
  EXPECT_FALSE(fs::exists(stale));
}

}  // namespace
}  // namespace maquette
