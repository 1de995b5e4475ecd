#include "app/models_folder.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>

namespace maquette::app {
namespace {

namespace fs = std::filesystem;

class ModelsFolder : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::canonical(testing::TempDir()) / "models_folder";
    fs::remove_all(root_);
    fs::create_directories(root_ / "a/starter");
    fs::create_directories(root_ / "a/upscaler");
    std::ofstream(root_ / "a/starter/model_index.json") << "{}";
    std::ofstream(root_ / "a/upscaler/four.safetensors") << "x";
    fs::create_directories(root_ / "b/starter");
    std::ofstream(root_ / "b/sd.safetensors") << "x";
  }
  void TearDown() override {
    ::unsetenv("MAQUETTE_MODELS");
    fs::remove_all(root_);
  }
  std::string found(const std::string& given) const { return find_model(given, {root_ / "a", root_ / "b"}); }
  std::string in(const std::string& path) const { return (root_ / path).string(); }

  fs::path root_;
};

TEST_F(ModelsFolder, finds_names_in_order) {
  EXPECT_EQ(found("starter"), in("a/starter"));
  EXPECT_EQ(found("sd"), in("b/sd.safetensors"));
  EXPECT_EQ(found("sd.safetensors"), in("b/sd.safetensors"));
  EXPECT_EQ(found("four"), in("a/upscaler/four.safetensors"));
}

TEST_F(ModelsFolder, finds_what_documents_and_records_write) {
  EXPECT_EQ(found("models/sd.safetensors"), in("b/sd.safetensors"));
  EXPECT_EQ(found("build/models/four.safetensors"), in("a/upscaler/four.safetensors"));
  EXPECT_EQ(found("/elsewhere/share/maquette/models/upscaler/four.safetensors"),
            in("a/upscaler/four.safetensors"));
}

TEST_F(ModelsFolder, leaves_other_paths_alone) {
  EXPECT_EQ(found(""), "");
  EXPECT_EQ(found(in("b/starter")), in("b/starter"));
  EXPECT_EQ(found("models/starter"), "models/starter");  // the tests run where it exists
  EXPECT_EQ(found("/mnt/models/starter"), "/mnt/models/starter");
  EXPECT_EQ(found("elsewhere/sd.safetensors"), "elsewhere/sd.safetensors");
}

TEST_F(ModelsFolder, says_where_it_looked) {
  try {
    found("startr");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_NE(error.message().find(in("a")), std::string::npos);
    EXPECT_NE(error.message().find(in("b")), std::string::npos);
    EXPECT_EQ(error.hint_text(), "did you mean starter?");
  }
}

TEST_F(ModelsFolder, looks_in_the_environments_folders_first) {
  ::setenv("MAQUETTE_MODELS", (in("b") + ":" + in("missing") + "::" + in("a")).c_str(), 1);
  const auto folders = models_folders();
  ASSERT_GE(folders.size(), 2u);
  EXPECT_EQ(folders[0], root_ / "b");
  EXPECT_EQ(folders[1], root_ / "a");
  EXPECT_EQ(find_model("starter"), in("b/starter"));
}

}  // namespace
}  // namespace maquette::app
