// The file of measured kernels: written, found again, and ignored where it is damaged or another machine's.
#include "app/kernel_table.h"

#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <random>

#include "app/picture_record.h"
#include "app/tune.h"
#include "base/file.h"
#include "kernels/choice.h"
#include "kernels/threads.h"

namespace maquette::app {
namespace {

// Each test has a cache folder of its own, since a file is read once.
class KernelTable : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              fmt::format("kernel_table_{}_{}", std::random_device()(),
                          testing::UnitTest::GetInstance()->current_test_info()->name());
    setenv("MAQUETTE_CACHE", folder_.c_str(), 1);
    use_kernel_table();
  }
  void TearDown() override {
    kernels::set_choice_table({});
    fs::remove_all(folder_);
  }

  // As another process would: from the same file under another name of its folder.
  kernels::ChoiceTable read_again() {
    kernels::set_choice_table({});
    again_ += "/.";
    setenv("MAQUETTE_CACHE", (folder_.string() + again_).c_str(), 1);
    use_kernel_table();
    setenv("MAQUETTE_CACHE", folder_.c_str(), 1);
    return kernels::choice_table();
  }
  void rewrite(const std::function<void(Json&)>& change) {
    Json json = parse_json(read_text_file(kernel_table_file()).take(), "table").take();
    change(json);
    write_file_atomically(kernel_table_file(), json.dump());
  }

  fs::path folder_;
  std::string again_;
};

kernels::ChoiceTable one_choice() {
  kernels::ChoiceTable table;
  table.choices["matmul 64x32->32 f32"] = {"avx512-f32", "onednn-f32", 0.5};
  return table;
}

TEST_F(KernelTable, IsFoundAgain) {
  EXPECT_EQ(kernels::choice_table(), kernels::ChoiceTable());
  kernels::set_choice_table(one_choice());
  save_kernel_table();
  EXPECT_EQ(read_again(), one_choice());
}

TEST_F(KernelTable, IsForgotten) {
  EXPECT_FALSE(forget_kernel_table());
  kernels::set_choice_table(one_choice());
  save_kernel_table();
  EXPECT_TRUE(forget_kernel_table());
  EXPECT_FALSE(fs::exists(kernel_table_file()));
  EXPECT_EQ(kernels::choice_table(), kernels::ChoiceTable());
  EXPECT_EQ(read_again(), kernels::ChoiceTable());
}

TEST_F(KernelTable, OfAnotherMachineOrDamagedIsIgnored) {
  kernels::set_choice_table(one_choice());
  save_kernel_table();
  const std::string whole = read_text_file(kernel_table_file()).take();
  const std::function<void(Json&)> changes[] = {
      [](Json& json) { json["made_for"]["processor"] = "another"; },
      [](Json& json) { json["made_for"]["instruction_set"] = "another"; },
      [](Json& json) { json["made_for"]["threads"] = 999; },
      [](Json& json) { json["made_for"]["version"] = "maquette 0.0.0"; },
      [](Json& json) { json["made_for"] = nullptr; },
      [](Json& json) { json.erase("made_for"); },
      [](Json& json) { json["choices"]["x"] = 3; },
  };
  for (const auto& change : changes) {
    write_file_atomically(kernel_table_file(), whole);
    ASSERT_EQ(read_again(), one_choice());
    rewrite(change);
    EXPECT_EQ(read_again(), kernels::ChoiceTable());
  }
  for (const size_t length : {size_t{0}, size_t{1}, whole.size() / 2, whole.size() - 3}) {
    write_file_atomically(kernel_table_file(), whole.substr(0, length));
    EXPECT_EQ(read_again(), kernels::ChoiceTable()) << length;
  }
  write_file_atomically(kernel_table_file(), std::string(5 << 20, ' '));
  EXPECT_EQ(read_again(), kernels::ChoiceTable());
  fs::remove(kernel_table_file());
  fs::create_directories(kernel_table_file());
  EXPECT_EQ(read_again(), kernels::ChoiceTable());
}

TEST_F(KernelTable, BelongsToANumberOfThreads) {
  const int before = kernels::thread_count();
  const fs::path file = kernel_table_file();
  kernels::set_thread_count(before + 1);
  EXPECT_NE(kernel_table_file(), file);
  kernels::set_thread_count(before);
  EXPECT_EQ(kernel_table_file(), file);
}

TEST_F(KernelTable, IsNamedInRecordsWhereItChangesPictures) {
  EXPECT_EQ(kernels_of_record(record_of({})), "");
  kernels::set_choice_table(one_choice());
  EXPECT_EQ(kernels_of_record(record_of({})), one_choice().hash());
  EXPECT_EQ(kernels_of_record(to_json(Recipe())), std::nullopt);
  EXPECT_EQ(kernels_of_record(Json::array()), std::nullopt);
  EXPECT_EQ(kernels_of_record({{"environment", 3}}), std::nullopt);
}

TEST_F(KernelTable, TuningTwiceChangesNothingAndCancellingKeepsWhatWasMeasured) {
  TuneRequest request;
  request.recipe.model.path = "models/starter";
  request.recipe.width = request.recipe.height = 32;
  request.recipe.precision = Precision::f32;
  TuneRequest cancelled = request;
  cancelled.progress = [](const ProgressReport& report) {
    return !(report.phase.starts_with("measuring") && report.seconds_left >= 0 && report.done == 2);
  };
  try {
    tune(cancelled);
    if (fs::exists(kernel_table_file())) ADD_FAILURE() << "was not cancelled";
    GTEST_SKIP() << "this processor has nothing to choose from";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
  const kernels::ChoiceTable half = read_again();
  EXPECT_EQ(half.choices.size(), 2u);

  const TuneReport first = tune(request);
  EXPECT_EQ(first.steps.at(0).measured + half.choices.size(), kernels::choice_table().choices.size());
  const std::string file = read_text_file(kernel_table_file()).take();
  const TuneReport second = tune(request);
  EXPECT_EQ(second.steps.at(0).measured, 0u);
  EXPECT_EQ(second.hash, first.hash);
  EXPECT_EQ(read_text_file(kernel_table_file()).take(), file);
}

}  // namespace
}  // namespace maquette::app
