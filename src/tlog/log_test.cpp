#include "tlog/log.h"

#include <csignal>
#include <fstream>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

#include "tlog/test_log.h"
#include "tlog/verify_folder.h"

namespace maquette::tlog {
namespace {

std::string text_of(const fs::path& path) { return read_text_file(path).take(); }

void overwrite(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string all_messages(const FolderReport& report) {
  std::string text;
  for (const Error& problem : report.problems) text += problem.message() + "\n";
  return text;
}

using LogTest = LogFolderTest;

TEST_F(LogTest, grows_and_holds_at_every_size) {
  std::vector<std::string> checkpoints;
  {
    Log log = Log::open(folder_, test_signer());
    uint64_t size = 0;
    // Partial, exactly full, over an edge, several tiles at once, one by one.
    for (const uint64_t more : {1, 1, 42, 212, 256, 300, 1, 700}) {
      log.append(test_entries(size, size + more));
      size += more;
      EXPECT_EQ(log.size(), size);
      const FolderReport report = verify_folder(folder_, keys_, std::nullopt);
      EXPECT_TRUE(report.holds()) << size << "\n" << all_messages(report);
      EXPECT_TRUE(report.not_covered.empty()) << size << " " << report.not_covered[0];
      checkpoints.push_back(text_of(folder_ / kCheckpointFile));
    }
  }
  for (const std::string& older : checkpoints) EXPECT_TRUE(verify_folder(folder_, keys_, older).holds());
}

TEST_F(LogTest, is_the_same_whether_closed_in_between_or_not) {
  for (uint64_t size = 0; size < 600; size += 60)
    Log::open(folder_, test_signer()).append(test_entries(size, size + 60));
  const Checkpoint in_parts = Log::open(folder_, test_signer()).checkpoint();
  fs::remove_all(folder_);
  EXPECT_EQ(Log::open(folder_, test_signer()).append(test_entries(0, 600)).text(), in_parts.text());
}

TEST_F(LogTest, keeps_partial_tiles_until_they_are_full) {
  Log log = Log::open(folder_, test_signer());
  log.append(test_entries(0, 100));
  log.append(test_entries(100, 200));
  EXPECT_TRUE(fs::exists(folder_ / "tile/0/000.p/100"));
  EXPECT_TRUE(fs::exists(folder_ / "tile/entries/000.p/200"));
  log.append(test_entries(200, 300));
  EXPECT_FALSE(fs::exists(folder_ / "tile/0/000.p"));
  EXPECT_FALSE(fs::exists(folder_ / "tile/entries/000.p"));
  EXPECT_TRUE(fs::exists(folder_ / "tile/0/000"));
}

TEST_F(LogTest, has_one_writer) {
  const Log log = Log::open(folder_, test_signer());
  EXPECT_THROW(Log::open(folder_, test_signer()), Error);
}

TEST_F(LogTest, of_another_key_or_damaged_is_not_written_to) {
  Log::open(folder_, test_signer()).append(test_entries(0, 300));
  EXPECT_THROW(Log::open(folder_, test_signer(8)), Error);
  for (const char* name : {"tile/0/000", "tile/0/001.p/44", "tile/entries/001.p/44", "checkpoint"}) {
    const std::string good = text_of(folder_ / name);
    std::string bad = good;
    bad[bad.size() / 2] ^= 1;
    overwrite(folder_ / name, bad);
    EXPECT_THROW(Log::open(folder_, test_signer()), Error) << name;
    EXPECT_EQ(text_of(folder_ / name), bad) << name;
    overwrite(folder_ / name, good);
  }
  fs::rename(folder_ / "checkpoint", folder_ / "elsewhere");
  EXPECT_THROW(Log::open(folder_, test_signer()), Error);
}

TEST_F(LogTest, refuses_what_two_bytes_cannot_count) {
  Log log = Log::open(folder_, test_signer());
  const std::vector<std::string> entries{"good", std::string(kMaxEntryBytes + 1, 'x')};
  EXPECT_THROW(log.append(entries), Error);
  EXPECT_EQ(log.append(test_entries(0, 1)).size, 1u);  // nothing of the refused ones was kept
}

TEST_F(LogTest, that_could_not_be_written_goes_on_when_opened_again) {
  {
    Log log = Log::open(folder_, test_signer());
    log.append(test_entries(0, 10));
    fs::create_directories(folder_ / "tile/0/000.p/20/in the way");
    EXPECT_THROW(log.append(test_entries(10, 20)), Error);
    fs::remove_all(folder_ / "tile/0/000.p/20");
    EXPECT_THROW(log.append(test_entries(10, 20)), Error);  // what is on the disk is not known
  }
  Log log = Log::open(folder_, test_signer());
  EXPECT_EQ(log.size(), 10u);
  log.append(std::vector<std::string>{"another"});
  log.append(test_entries(11, 30));
  const FolderReport report = verify_folder(folder_, keys_, std::nullopt);
  EXPECT_TRUE(report.holds()) << all_messages(report);
  EXPECT_TRUE(report.not_covered.empty());
}

TEST_F(LogTest, every_flipped_byte_of_every_file_is_found) {
  {
    Log log = Log::open(folder_, test_signer());
    log.append(test_entries(0, 270));
    log.append(test_entries(270, 300));  // tiles of an older checkpoint lie there too
  }
  size_t files = 0;
  for (const fs::directory_entry& each : fs::recursive_directory_iterator(folder_)) {
    if (!each.is_regular_file() || each.path().filename() == kLockFile) continue;
    ++files;
    const std::string good = text_of(each.path());
    std::fstream file(each.path(), std::ios::in | std::ios::out | std::ios::binary);
    for (size_t i = 0; i < good.size(); ++i) {
      const auto put = [&](char c) { file.seekp(static_cast<std::streamoff>(i)).put(c).flush(); };
      put(static_cast<char>(good[i] ^ 1 << i % 8));
      ASSERT_FALSE(verify_folder(folder_, keys_, std::nullopt).holds()) << each.path() << " byte " << i;
      put(good[i]);
    }
  }
  EXPECT_EQ(files,
            1u + 3 + 3 + 1);  // checkpoint; bundles and leaves: full, of 14, of 44; one root of level 1
  EXPECT_TRUE(verify_folder(folder_, keys_, std::nullopt).holds());
}

TEST_F(LogTest, killed_at_any_moment_goes_on) {
  constexpr int kKills = 200;
  std::mt19937 random(1);
  int acknowledged = 0;  // batches
  for (int kill = 0; kill < kKills; ++kill) {
    if (kill % 40 == 0) fs::remove_all(folder_);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Log log = Log::open(folder_, test_signer());
      for (uint64_t more = 1;; more = more % 40 + 13) {
        log.append(test_entries(log.size(), log.size() + more));
        const uint64_t size = log.size();
        if (::write(ends[1], &size, sizeof size) != sizeof size) ::_exit(1);
      }
    }
    ::close(ends[1]);
    // On a busy machine the child may not have begun yet: most kills wait until a few batches are there.
    uint64_t promised = 0;  // what append() said was there
    const auto hear = [&] { return ::read(ends[0], &promised, sizeof promised) == sizeof promised; };
    for (uint64_t batches = random() % 4; batches > 0; --batches, ++acknowledged) ASSERT_TRUE(hear());
    ::usleep(static_cast<useconds_t>(random() % 20000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (hear()) ++acknowledged;
    ::close(ends[0]);

    if (!fs::exists(folder_ / kCheckpointFile)) continue;  // killed before there was a log
    const FolderReport killed = verify_folder(folder_, keys_, std::nullopt);
    ASSERT_TRUE(killed.holds()) << all_messages(killed);
    ASSERT_GE(killed.checkpoint->checkpoint.size, promised);
    const std::string before = killed.checkpoint->note;
    Log log = Log::open(folder_, test_signer());
    log.append(test_entries(log.size(), log.size() + 3));
    const FolderReport report = verify_folder(folder_, keys_, before);
    ASSERT_TRUE(report.holds()) << all_messages(report);
    for (const std::string& name : report.not_covered)
      ASSERT_NE(name.find(".partial"), std::string::npos) << name;
    const TileName first{.kind = TileKind::entries,
                         .width = tile_width({.kind = TileKind::entries}, log.size())};
    ASSERT_EQ(read_bundle(folder_, first).take(), test_entries(0, first.width));
  }
  EXPECT_GT(acknowledged, kKills);
}

}  // namespace
}  // namespace maquette::tlog
