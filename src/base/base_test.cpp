#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

namespace maquette {
namespace {

TEST(Error, says_what_where_and_hint) {
  Error error(ErrorCode::weights, "cannot load \"{}\"", "x.safetensors");
  error.with("found", "[640]").hint("try {}", "--family sdxl");
  EXPECT_EQ(error.message(),
            "cannot load \"x.safetensors\"\n  found     [640]\n  hint      try --family sdxl");
  EXPECT_EQ(exit_code(error.code()), 6);
}

// The vectors of FIPS 180-2, appendix B.1 and the empty message.
TEST(Hash, sha256_vectors) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(File, an_uncommitted_write_leaves_the_old_file) {
  const fs::path path = fs::path(testing::TempDir()) / "atomic.txt";
  write_file_atomically(path, "first");
  {
    AtomicFile abandoned(path);
    write_file_atomically(abandoned.temporary(), "half");
  }
  EXPECT_EQ(read_text_file(path).take(), "first");
  write_file_atomically(path, "second");
  EXPECT_EQ(read_text_file(path).take(), "second");
}

TEST(File, a_missing_file_and_a_folder_are_errors) {
  EXPECT_EQ(MappedFile::open("/nonexistent/x").error().code(), ErrorCode::not_found);
  EXPECT_EQ(MappedFile::open(testing::TempDir()).error().code(), ErrorCode::bad_file);
  EXPECT_THROW(write_file_atomically("/nonexistent/x", "a"), Error);
}

TEST(Json, refuses_damage_and_depth) {
  EXPECT_TRUE(parse_json(R"({"a": [1, 2]})", "t"));
  EXPECT_FALSE(parse_json("{", "t"));
  EXPECT_FALSE(parse_json(std::string(100000, '['), "t"));
}

TEST(Json, reads_what_python_writes) {
  const Json json = parse_json(R"({"a": -Infinity, "b": NaN, "c": "NaN \" -Infinity", "d": -1})", "t").take();
  EXPECT_LT(json["a"].get<double>(), -1e300);
  EXPECT_TRUE(json["b"].is_null());
  EXPECT_EQ(json["c"], "NaN \" -Infinity");
  EXPECT_EQ(json["d"], -1);
}

TEST(Text, did_you_mean) {
  const std::vector<std::string> names = {"euler", "euler-a", "dpm++2m"};
  EXPECT_EQ(did_you_mean("eulr", names), "euler");
  EXPECT_FALSE(did_you_mean("quantum", names));
}

TEST(Text, numbers_must_be_whole_and_finite) {
  EXPECT_EQ(parse_double("0.5"), 0.5);
  EXPECT_FALSE(parse_double("0.5x"));
  EXPECT_FALSE(parse_double("inf"));
  EXPECT_FALSE(parse_integer(""));
}

}  // namespace
}  // namespace maquette
