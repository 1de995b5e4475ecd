// Signing and reading back by the official library; tools/check_marks has other programs judge the same.
#include <fstream>
#include <gtest/gtest.h>

#include "base/program_folders.h"
#include "marks/asset_format.h"
#include "marks/c2pa_library.h"
#include "marks/read.h"
#include "marks/sign.h"
#include "marks/xmp_container.h"

namespace maquette::marks {

namespace {

const fs::path kGolden = fs::path(MAQUETTE_SOURCE_DIR) / "tests/golden";

// An empty folder that goes in the end.
class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() /
              ("marks_test." + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + "." +
               ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

Disclosure sampled_and_painted() {
  return {.title = "sh020_background_v001.png",
          .program_version = "0.0",
          .provider = "Studio of the tests",
          .steps = {{.kind = StepKind::sampled, .tool = "starter", .description = "text to picture"},
                    {.kind = StepKind::painted, .tool = "Krita", .author = "artist:7f3a"}},
          .models = {{.name = "starter", .sha256 = std::string(64, 'a')}},
          .human_share = 0.25};
}

std::string a_file(const fs::path& file, std::string bytes) {
  write_file_atomically(file, bytes);
  return file;
}

std::string read_bytes(const fs::path& file) { return read_text_file(file).take(); }

TEST(C2paLibrary, OnlyTestedVersionsAreUsed) {
  EXPECT_TRUE(is_tested_c2pa_version("c2pa-c-ffi/0.91.3 c2pa-rs/0.91.3"));
  EXPECT_TRUE(is_tested_c2pa_version("c2pa-c-ffi/0.91.12 c2pa-rs/0.91.12"));
  for (const char* other :
       {"", "c2pa-c-ffi/0.92.0 c2pa-rs/0.92.0", "c2pa-c-ffi/0.9.1", "c2pa-c-ffi/0.910.1", "c2pa-rs/0.91.3"})
    EXPECT_FALSE(is_tested_c2pa_version(other)) << other;
}

TEST(Manifest, BeginsOnce) {
  const Json actions = manifest_definition(sampled_and_painted(), false)["assertions"][0]["data"]["actions"];
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(actions[0]["action"], "c2pa.created");
  EXPECT_EQ(actions[0]["digitalSourceType"],
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia");
  EXPECT_EQ(actions[0]["parameters"]["ingredientIds"], Json::array({"model-1"}));
  EXPECT_EQ(actions[1]["action"], "c2pa.drawing");
  // On a file that was there, the same steps are work on it.
  const Json opened = manifest_definition(sampled_and_painted(), true)["assertions"][0]["data"]["actions"];
  ASSERT_EQ(opened.size(), 3U);
  EXPECT_EQ(opened[0]["action"], "c2pa.opened");
  EXPECT_EQ(opened[1]["action"], "c2pa.edited");
  EXPECT_EQ(digital_source_type(sampled_and_painted()),
            "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia");
}

TEST(Manifest, StepsThatContradictEachOtherAreRefused) {
  const auto refused = [](std::vector<Step> steps) {
    Disclosure disclosure = sampled_and_painted();
    disclosure.steps = std::move(steps);
    EXPECT_THROW(static_cast<void>(manifest_definition(disclosure, false)), Error);
  };
  refused({});
  refused({{.kind = StepKind::painted}});
  refused({{.kind = StepKind::imported}});
  refused({{.kind = StepKind::sampled}, {.kind = StepKind::drawn}});
  refused({{.kind = StepKind::sampled}, {.kind = StepKind::composited}});
  EXPECT_THROW(parse_step_kind("inpaint"), Error);
  EXPECT_EQ(parse_step_kind("inpainted"), StepKind::inpainted);
}

// What a hostile manifest makes the library say.
TEST(Manifest, ReportsOfAnyFormAreRead) {
  for (const char* text :
       {"null", "[]", "{}", R"({"manifests": 3, "active_manifest": {}})",
        R"({"manifests": {"a": {"assertions": [{"label": 2}, {"label": "c2pa.actions.v2", "data": []}],
                               "ingredients": {}, "claim_generator_info": [1], "signature_info": "x"}},
                               "active_manifest": "a", "validation_status": [[]]})"}) {
    EXPECT_EQ(parse_reader_json(*parse_json(text, "test")).state, ManifestState::invalid) << text;
  }
}

class Signing : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_c2pa_library()) GTEST_SKIP() << "scripts/fetch_c2pa fetches the C2PA library";
    DevelopmentChain chain = create_development_chain("Studio of the tests", 30);
    root_ = chain.root_pem;
    signer_ = signer_of(std::move(chain.key), chain.chain_pem);
  }
  ManifestReport read(const fs::path& file) const { return read_manifest(file, {.roots_pem = root_}); }

  std::string root_;
  Signer signer_;
  Folder folder_;
};

const fs::path kPicture = kGolden / "pipelines/sd1_custom_sigmas/picture_0.png";

TEST_F(Signing, APictureSaysHowItWasMadeAndThatNothingWasChanged) {
  const fs::path out = folder_ / "out.png";
  const SignedFile made =
      sign_file({.file = kPicture, .out = out, .disclosure = sampled_and_painted()}, signer_);
  EXPECT_FALSE(made.sidecar);
  EXPECT_FALSE(made.kept_manifest);
  const ManifestReport report = read(out);
  EXPECT_EQ(report.state, ManifestState::valid) << fmt::format("{}", report.problems);
  EXPECT_EQ(report.generator, "Maquette 0.0");
  EXPECT_EQ(report.signed_by, "Maquette development signer");
  ASSERT_EQ(report.actions.size(), 2U);
  EXPECT_EQ(report.actions[0].source_type, "trainedAlgorithmicMedia");
  ASSERT_EQ(report.ingredients.size(), 1U);
  EXPECT_EQ(report.ingredients[0].id, "urn:sha256:" + std::string(64, 'a'));
  // Somebody who does not know the root.
  EXPECT_EQ(read_manifest(out, {}).state, ManifestState::untrusted);
  EXPECT_EQ(read(kPicture).state, ManifestState::none);
}

TEST_F(Signing, MetadataAreWrittenBeforeSigning) {
  const fs::path out = folder_ / "out.png";
  const XmpFields fields{.ai_system = "Maquette", .prompt = "sea"};
  EXPECT_TRUE(sign_file({kPicture, out, sampled_and_painted(), fields}, signer_).wrote_xmp);
  EXPECT_EQ(read(out).state, ManifestState::valid);
  const std::string bytes = read_bytes(out);
  EXPECT_EQ(read_xmp(find_xmp(std::as_bytes(std::span(bytes))).take().value()).take(), fields);
  // The other way round breaks the signature.
  const std::string later = with_xmp(std::as_bytes(std::span(bytes)), merge_xmp("", fields).take()).take();
  EXPECT_EQ(read(a_file(folder_ / "later.png", later)).state, ManifestState::invalid);
}

TEST_F(Signing, AnAlteredByteIsFound) {
  const fs::path out = folder_ / "out.png";
  sign_file({.file = kPicture, .out = out, .disclosure = sampled_and_painted()}, signer_);
  std::string bytes = read_bytes(out);
  bytes[bytes.size() - 30] = static_cast<char>(bytes[bytes.size() - 30] ^ 1);
  const ManifestReport report = read(a_file(folder_ / "altered.png", bytes));
  EXPECT_EQ(report.state, ManifestState::invalid);
  EXPECT_EQ(report.problems, std::vector<std::string>{"assertion.dataHash.mismatch"});
}

TEST_F(Signing, AManifestThatWasThereIsKept) {
  const fs::path first = folder_ / "first.png";
  const fs::path second = folder_ / "second.png";
  sign_file({.file = kPicture, .out = first, .disclosure = sampled_and_painted()}, signer_);
  Disclosure painted = sampled_and_painted();
  painted.steps = {{.kind = StepKind::painted}};
  EXPECT_TRUE(sign_file({.file = first, .out = second, .disclosure = painted}, signer_).kept_manifest);
  const ManifestReport report = read(second);
  EXPECT_EQ(report.state, ManifestState::valid) << fmt::format("{}", report.problems);
  const auto parent = std::ranges::find(report.ingredients, "parentOf", &IngredientFacts::relationship);
  ASSERT_NE(parent, report.ingredients.end());
  EXPECT_TRUE(parent->has_manifest);
  EXPECT_EQ(report.actions.front().action, "c2pa.opened");
}

TEST_F(Signing, FilesWithoutAPlaceGetASidecarThatHoldsOn) {
  const fs::path file = folder_ / "plate.exr";
  a_file(file, "\x76\x2f\x31\x01" + std::string(5000, 'x'));
  const SignedFile made =
      sign_file({.file = file, .out = file, .disclosure = sampled_and_painted()}, signer_);
  ASSERT_TRUE(made.sidecar);
  EXPECT_EQ(*made.sidecar, folder_ / "plate.exr.c2pa");
  EXPECT_EQ(read(file).state, ManifestState::valid) << fmt::format("{}", read(file).problems);
  // Signed again: the first manifest is the parent's.
  EXPECT_TRUE(
      sign_file({.file = file, .out = file, .disclosure = sampled_and_painted()}, signer_).kept_manifest);
  const ManifestReport report = read(file);
  EXPECT_EQ(report.state, ManifestState::valid) << fmt::format("{}", report.problems);
  EXPECT_TRUE(std::ranges::any_of(report.ingredients, &IngredientFacts::has_manifest));
  a_file(file, "\x76\x2f\x31\x01" + std::string(5000, 'y'));
  EXPECT_EQ(read(file).state, ManifestState::invalid);
  fs::remove(*made.sidecar);
  EXPECT_EQ(read(file).state, ManifestState::none);
}

TEST_F(Signing, WhatTheSignerThrowsComesThroughAndNothingIsWritten) {
  signer_.sign = [](std::string_view) -> std::string {
    throw Error(ErrorCode::refused, "the module is locked");
  };
  const fs::path out = folder_ / "out.png";
  try {
    sign_file({.file = kPicture, .out = out, .disclosure = sampled_and_painted()}, signer_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::refused);
  }
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(Signing, DamagedFilesAreReportsOrErrorsOfTheFile) {
  const fs::path file = a_file(folder_ / "half.png", read_bytes(kPicture).substr(0, 60));
  EXPECT_THROW(
      sign_file({.file = file, .out = folder_ / "out.png", .disclosure = sampled_and_painted()}, signer_),
      Error);
  EXPECT_THROW(read(folder_ / "missing.png"), Error);
}

}  // namespace

}  // namespace maquette::marks
