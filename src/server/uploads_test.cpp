// Files that say or hold too much, and files that are not what they seem: refused before they take memory,
// and nothing of them is left.
#include <fstream>
#include <gtest/gtest.h>

#include "server/test_story.h"

namespace maquette::server {
namespace {

size_t files_in(const std::filesystem::path& folder) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    count += entry.is_regular_file();
  return count;
}

// Of this program, at its highest, in MiB.
long peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6)) / 1024;
  }
  return 0;
}

std::string little(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xff);
  return text;
}

std::string tiff(const std::vector<std::array<uint32_t, 2>>& tags) {
  std::string file = "II*" + std::string(1, '\0') + little(8, 4) + little(tags.size(), 2);
  for (const auto& [tag, value] : tags)
    file += little(tag, 2) + little(4, 2) + little(1, 4) + little(value, 4);
  return file + little(0, 4) + std::string(64, '\0');
}

std::string exr_attribute(const std::string& name, const std::string& type, const std::string& value) {
  return name + '\0' + type + '\0' + little(value.size(), 4) + value;
}

std::string exr(uint32_t width, uint32_t height, int channels) {
  std::string list;
  for (int i = 0; i < channels; ++i)
    list += fmt::format("c{:03}", i) + '\0' + little(1, 4) + little(0, 4) + little(1, 4) + little(1, 4);
  const std::string window = little(0, 8) + little(width - 1, 4) + little(height - 1, 4);
  return "\x76\x2f\x31\x01" + little(2, 4) + exr_attribute("channels", "chlist", list + '\0') +
         exr_attribute("compression", "compression", "\x03") + exr_attribute("dataWindow", "box2i", window) +
         exr_attribute("displayWindow", "box2i", window) +
         exr_attribute("lineOrder", "lineOrder", std::string(1, '\0')) +
         exr_attribute("pixelAspectRatio", "float", little(0x3f800000, 4)) +
         exr_attribute("screenWindowCenter", "v2f", little(0, 8)) +
         exr_attribute("screenWindowWidth", "float", little(0x3f800000, 4)) + '\0' + std::string(4096, '\0');
}

std::string png_that_claims(uint32_t width, uint32_t height, char bits, char colour) {
  return "\x89PNG\r\n\x1a\n" +
         png_chunk("IHDR", big_endian(width) + big_endian(height) + std::string{bits, colour, 0, 0, 0}) +
         png_chunk("IDAT", zlib_stored(std::string(60'000, '\0'))) + png_chunk("IEND", "");
}

std::string riff(const std::string& chunk) { return "RIFF" + little(chunk.size() + 4, 4) + "WEBP" + chunk; }

std::map<std::string, std::string> hostile_files() {
  using namespace std::string_literals;
  std::map<std::string, std::string> files = {
      {"a PNG of 100000 x 100000", png_that_claims(100'000, 100'000, 8, 2)},
      {"a PNG of 2^31 x 2^31", png_that_claims(0x7fffffff, 0x7fffffff, 16, 6)},
      {"a PNG of 12000 x 12000 in 16 bits", png_that_claims(12'000, 12'000, 16, 6)},
      {"a PNG whose pixels are not there", png_that_claims(8000, 8000, 8, 2)},
      {"a PNG of nothing", png_that_claims(0, 0, 8, 2)},
      {"a PNG that was cut off", png(8, 8, 1).substr(0, 60)},
      {"a JPEG of 65500 x 65500",
       "\xff\xd8\xff\xc0\0\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\0\x02\x11\x01\x03\x11\x01"s +
           std::string(64, '\0') + "\xff\xd9"},
      {"a WebP of 16383 x 16383",
       riff("VP8X" + little(10, 4) + little(0, 4) + little(16382, 3) + little(16382, 3))},
      {"a WebP of 16384 x 16384 without loss",
       riff("VP8L" + little(5, 4) + "\x2f" + little(0x0fffffff, 4) + "\0"s)},
      {"a TIFF of 100000 x 100000",
       tiff({{256, 100'000}, {257, 100'000}, {258, 8}, {259, 1}, {262, 1}, {277, 1}})},
      {"a TIFF with strips of 2^31 rows", tiff({{256, 64},
                                                {257, 64},
                                                {258, 8},
                                                {259, 1},
                                                {262, 1},
                                                {273, 8},
                                                {277, 1},
                                                {278, 0x7fffffff},
                                                {279, 64}})},
      {"a TIFF with tiles of 2^31", tiff({{256, 64},
                                          {257, 64},
                                          {258, 8},
                                          {259, 1},
                                          {262, 1},
                                          {277, 1},
                                          {322, 0x7fffffff},
                                          {323, 0x7fffffff}})},
      {"an EXR of 100000 x 100000", exr(100'000, 100'000, 3)},
      {"an EXR of 8000 x 8000 with 60 channels", exr(8000, 8000, 60)},
      {"a BMP of 60000 x 60000", "BM" + little(1000, 4) + little(0, 4) + little(54, 4) + little(40, 4) +
                                     little(60'000, 4) + little(60'000, 4) + little(1, 2) + little(24, 2) +
                                     std::string(200, '\0')},
      {"an HDR of 100000 x 100000",
       "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 100000 +X 100000\n" + std::string(64, '\0')},
      {"a ZIP (an OpenRaster)", "PK\x03\x04"s + std::string(26, '\0') + "mimetypeimage/openraster"},
      {"a gzip", "\x1f\x8b\x08"s + std::string(64, '\0')},
      {"an SVG of a billion laughs",
       "<!DOCTYPE svg [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><svg>&b;</svg>"},
      {"a page", "<!doctype html><script>alert(1)</script>"},
      {"a program", "#!/bin/sh\nrm -rf /\n"},
      {"JSON that is nested deeply", std::string(100'000, '[') + std::string(100'000, ']')},
      {"JSON that was cut off", "{\"layers\": ["},
      {"nothing", "\0"s},
  };
  return files;
}

class UploadsTest : public testing::TestWithParam<db::Backend> {};

INSTANTIATE_TEST_SUITE_P(Databases, UploadsTest, testing::ValuesIn(db::test_backends()),
                         [](const auto& each) {
                           return each.param == db::Backend::sqlite ? "sqlite" : "postgresql";
                         });

TEST_P(UploadsTest, OfHostileFilesAreRefused) {
  Story story(GetParam());
  const std::filesystem::path folder = story.studio().studio().folder();
  const size_t before = files_in(folder / "shows");
  const long memory = peak_memory();
  for (const auto& [what, bytes] : hostile_files()) {
    for (const char* operation : {"file upload", "take import"}) {
      const auto start = std::chrono::steady_clock::now();
      const Answer answer = story.ask(story.root(), operation, Json::object(), bytes);
      EXPECT_EQ(answer.status, 422) << what << " " << operation << " " << answer.body;
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2)) << what;
    }
  }
  EXPECT_LT(peak_memory() - memory, 500) << "MiB";
  EXPECT_EQ(files_in(folder / "shows"), before);
  EXPECT_EQ(files_in(folder / "spool"), 0u);
}

// Whatever stands behind or inside a picture, its bytes are a picture to a browser and nothing else.
TEST_P(UploadsTest, AreNeverPages) {
  Story story(GetParam());
  const std::string page = "<html><script>alert(1)</script></html>";
  const std::string bytes = png(8, 8, 5, png_chunk("tEXt", std::string("Comment\0", 8) + page)) + page;
  const Json file = story.make("file upload", Json::object(), bytes);
  const Answer answer = story.ask(story.root(), "file get", {{"sha256", file["sha256"]}});
  EXPECT_EQ(answer.body, bytes);
  EXPECT_EQ(answer.header("content-type"), "image/png");
  EXPECT_EQ(answer.header("x-content-type-options"), "nosniff");
  EXPECT_NE(answer.header("content-security-policy").find("sandbox"), std::string::npos);
  const Json document = story.make("file upload", Json::object(), R"({"html": "<script>alert(1)</script>"})");
  const Answer saved = story.ask(story.root(), "file get", {{"sha256", document["sha256"]}});
  EXPECT_EQ(saved.header("content-disposition"), "attachment");
}

// Texts in pictures are no texts of ours: any bytes may stand there.
TEST_P(UploadsTest, WithBrokenTextsInsideAreTakenOrRefused) {
  Story story(GetParam());
  using namespace std::string_literals;
  for (const std::string& text :
       {"\xff\xfe\xfd"s, "a\0b"s, std::string(900'000, 'w'), "dusk\nSteps: 1e99, Seed: -1, Size: x"s,
        "<lora:x:1>\nSteps: 20, Sampler: '; DROP TABLE takes; --, Seed: 7"s}) {
    for (const char* key : {"parameters", "prompt", "workflow", "maquette"}) {
      const std::string bytes = png(8, 8, 6, png_chunk("tEXt", key + "\0"s + text));
      const Answer answer = story.ask(story.root(), "take import", Json::object(), bytes);
      EXPECT_LT(answer.status, 500) << key << " " << text.substr(0, 40) << " " << answer.body.substr(0, 300);
    }
  }
  EXPECT_EQ(story.ask(story.root(), "take list").status, 200);
  EXPECT_EQ(story.ask(story.root(), "take search", {{"search", "dusk"}}).status, 200);
}

}  // namespace
}  // namespace maquette::server
