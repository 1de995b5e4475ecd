// What is said about logs that were altered: which file, where, and what should have been there.
#include "tlog/verify_folder.h"

#include <fstream>

#include "tlog/test_log.h"

namespace maquette::tlog {
namespace {

class VerifyFolder : public LogFolderTest {
 protected:
  void SetUp() override {
    LogFolderTest::SetUp();
    Log log = Log::open(folder_, test_signer());
    log.append(test_entries(0, 120));
    older_ = read_text_file(folder_ / kCheckpointFile).take();
    log.append(test_entries(120, 300));
  }

  void replace(const std::string& name, std::string_view from, std::string_view to) {
    std::string bytes = read_text_file(folder_ / name).take();
    const size_t at = bytes.find(from);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, from.size(), to);
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

  FolderReport verify() { return verify_folder(folder_, keys_, older_); }
  std::string only_problem() {
    const FolderReport report = verify();
    EXPECT_EQ(report.problems.size(), 1u);
    return report.problems.empty() ? "" : report.problems[0].message();
  }

  std::string older_;
};

TEST_F(VerifyFolder, finds_a_good_log_good) {
  const FolderReport report = verify();
  EXPECT_TRUE(report.holds());
  EXPECT_EQ(report.checkpoint->checkpoint.size, 300u);
  EXPECT_EQ(report.older->size, 120u);
  EXPECT_EQ(report.files_checked, 6u);
}

TEST_F(VerifyFolder, names_the_entry_that_was_altered) {
  replace("tile/entries/000", "entry 137", "entry 731");
  const std::string problem = only_problem();
  EXPECT_NE(problem.find("\"tile/entries/000\" was altered"), std::string::npos) << problem;
  EXPECT_NE(problem.find("entry 137 of the log"), std::string::npos) << problem;
}

TEST_F(VerifyFolder, names_the_tile_that_was_altered) {
  const Hash leaf = leaf_hash(test_entry(260));
  replace("tile/0/001.p/44", bytes_of(leaf), std::string(32, 'x'));
  const std::string problem = only_problem();
  EXPECT_NE(problem.find("\"tile/0/001.p/44\" was altered"), std::string::npos) << problem;
  EXPECT_NE(problem.find("hash 4 of the tile"), std::string::npos) << problem;
  EXPECT_NE(problem.find(base64_of(leaf)), std::string::npos) << problem;
}

TEST_F(VerifyFolder, names_the_file_that_is_missing) {
  fs::remove(folder_ / "tile/1/000.p/1");
  EXPECT_NE(only_problem().find("tile/1/000.p/1"), std::string::npos);
}

TEST_F(VerifyFolder, finds_entries_and_tiles_altered_together) {
  replace("tile/entries/000", "entry 137", "entry 731");
  replace("tile/0/000", bytes_of(leaf_hash(test_entry(137))), bytes_of(leaf_hash("entry 731")));
  const FolderReport report = verify();
  ASSERT_EQ(report.problems.size(), 2u);
  EXPECT_NE(report.problems[0].message().find("do not have the root that was signed"), std::string::npos);
}

TEST_F(VerifyFolder, finds_a_log_that_was_rewritten_and_signed_again) {
  fs::remove_all(folder_);
  std::vector<std::string> entries = test_entries(0, 300);
  entries[41] = "something else";
  Log::open(folder_, test_signer()).append(entries);
  EXPECT_TRUE(verify_folder(folder_, keys_, std::nullopt).holds());  // alone, nobody can tell
  EXPECT_NE(only_problem().find("was rewritten"), std::string::npos);
}

TEST_F(VerifyFolder, finds_a_log_that_was_cut_short) {
  const std::string latest = read_text_file(folder_ / kCheckpointFile).take();
  fs::remove_all(folder_);
  Log::open(folder_, test_signer()).append(test_entries(0, 250));
  older_ = latest;
  EXPECT_NE(only_problem().find("entries were cut off"), std::string::npos);
}

TEST_F(VerifyFolder, trusts_the_given_keys_only) {
  keys_ = {test_signer(8).verifier_key()};
  EXPECT_NE(only_problem().find("signed by nobody who is known"), std::string::npos);
}

TEST_F(VerifyFolder, lists_files_that_the_checkpoint_says_nothing_about) {
  write_file_atomically(folder_ / "tile/0/001.p/45", "later");
  write_file_atomically(folder_ / "notes.txt", "mine");
  const FolderReport report = verify();
  EXPECT_TRUE(report.holds());
  EXPECT_EQ(report.not_covered, (std::vector<std::string>{"notes.txt", "tile/0/001.p/45"}));
}

TEST_F(VerifyFolder, of_a_size_that_nobody_can_have_ends_soon) {
  const Checkpoint checkpoint{.origin = test_signer().name(), .size = kMaxEntries};
  write_file_atomically(folder_ / kCheckpointFile, sign_note(checkpoint.text(), test_signer()));
  EXPECT_FALSE(verify().holds());
}

TEST_F(VerifyFolder, that_is_not_there_is_an_error) {
  EXPECT_THROW(verify_folder(folder_ / "nowhere", keys_, std::nullopt), Error);
}

}  // namespace
}  // namespace maquette::tlog
