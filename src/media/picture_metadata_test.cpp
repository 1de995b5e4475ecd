#include "media/picture_metadata.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "media/exif.h"
#include "media/golden_array.h"
#include "media/image_io.h"
#include "media/png_chunks.h"

namespace maquette::media {
namespace {

const std::string kPlain = "a castle\nNegative prompt: fog\nSteps: 20, Sampler: Euler a";
const std::string kWide = "塔, café 🌲\nSteps: 20";

TEST(PictureMetadata, reads_the_files_of_other_tools) {
  const Json expected =
      parse_json(read_text_file(golden_path("text/expected.json")).take(), "expected").take();
  const std::pair<std::string, std::string> files[] = {
      {"text.png", "plain"},   {"wide.png", "wide"},     {"packed.png", "plain"}, {"packed_wide.png", "wide"},
      {"comment.jpg", "wide"}, {"comment.webp", "wide"}, {"little.jpg", "plain"},
  };
  for (const auto& [file, key] : files) {
    const PictureMetadata metadata = read_picture_metadata(golden_path("text/" + file)).take();
    EXPECT_EQ(metadata.parameters.value_or("none"), expected[key].get<std::string>()) << file;
  }
}

TEST(PictureMetadata, every_format_carries_both_texts) {
  const Image image = Image::zeros(8, 8, 3);
  for (const auto format :
       {ImageFormat::png, ImageFormat::jpeg, ImageFormat::tiff, ImageFormat::webp, ImageFormat::exr}) {
    for (const std::string& text : {kPlain, kWide}) {
      const PictureMetadata written{.parameters = text,
                                    .recipe_json = R"({"prompt":")" + std::string("塔") + R"(","seed":5})",
                                    .other = {{"Author", "somebody"}}};
      const std::string file = encode_image(image, format, {.metadata = written});
      const PictureMetadata read = parse_picture_metadata(as_bytes(file)).take();
      EXPECT_EQ(read.parameters, written.parameters) << name(format);
      EXPECT_EQ(read.recipe_json, written.recipe_json) << name(format);
      EXPECT_NE(std::ranges::find(read.other, written.other[0]), read.other.end()) << name(format);
      EXPECT_TRUE(decode_image(as_bytes(file))) << name(format);
    }
  }
}

TEST(PictureMetadata, pictures_without_text_read_as_empty) {
  const Image image = Image::zeros(8, 8, 3);
  for (const auto format : {ImageFormat::png, ImageFormat::jpeg, ImageFormat::tiff, ImageFormat::webp}) {
    EXPECT_TRUE(parse_picture_metadata(as_bytes(encode_image(image, format))).take().empty()) << name(format);
  }
}

// Which chunk carries the text decides whether other tools see it.
TEST(PictureMetadata, png_text_kind_follows_the_characters) {
  const auto kind_of = [](const std::string& text) {
    const std::string file =
        encode_image(Image::zeros(2, 2, 3), ImageFormat::png, {.metadata = {.parameters = text}});
    const auto chunks = read_png_chunks(as_bytes(file)).take();
    EXPECT_EQ(chunks[0].type, "IHDR");
    return std::string(chunks[1].type);
  };
  EXPECT_EQ(kind_of("ascii"), "tEXt");
  EXPECT_EQ(kind_of("caf\u00e9"), "tEXt");
  EXPECT_EQ(kind_of("\u5854"), "iTXt");
}

TEST(PictureMetadata, a_jpeg_refuses_text_that_does_not_fit) {
  const WriteOptions options{.metadata = {.parameters = std::string(40000, 'x')}};
  EXPECT_THROW(encode_image(Image::zeros(8, 8, 3), ImageFormat::jpeg, options), Error);
  EXPECT_NO_THROW(encode_image(Image::zeros(8, 8, 3), ImageFormat::webp, options));
}

TEST(PictureMetadata, unknown_names_are_refused_where_they_would_be_lost) {
  const WriteOptions options{.metadata = {.other = {{"workflow", "{}"}}}};
  EXPECT_NO_THROW(encode_image(Image::zeros(8, 8, 3), ImageFormat::png, options));
  EXPECT_THROW(encode_image(Image::zeros(8, 8, 3), ImageFormat::jpeg, options), Error);
}

TEST(PngChunks, damage_is_an_error) {
  std::string file =
      encode_image(Image::zeros(4, 4, 3), ImageFormat::png, {.metadata = {.parameters = kPlain}});
  EXPECT_TRUE(read_png_chunks(as_bytes(file)));
  for (size_t keep = 0; keep < file.size(); ++keep) EXPECT_FALSE(read_png_chunks(as_bytes(file).first(keep)));
  file[file.find("castle")] = 'C';
  EXPECT_FALSE(read_png_chunks(as_bytes(file))) << "the check sum no longer fits";
}

TEST(PngChunks, compressed_text_has_a_limit) {
  const std::string file = read_text_file(golden_path("text/packed.png")).take();
  for (const PngChunk& chunk : read_png_chunks(as_bytes(file)).take()) {
    if (chunk.type != "zTXt") continue;
    EXPECT_TRUE(decode_png_text(chunk, 1000));
    EXPECT_FALSE(decode_png_text(chunk, 20));
    return;
  }
  FAIL() << "the fixture has no zTXt chunk";
}

TEST(PngChunks, hostile_keywords_are_refused) {
  EXPECT_THROW(encode_png_text({"", "x"}), Error);
  EXPECT_THROW(encode_png_text({std::string(80, 'k'), "x"}), Error);
  EXPECT_THROW(encode_png_text({"k", std::string("a\0b", 3)}), Error);
}

TEST(Exif, damaged_blocks_are_errors_or_less_text_but_never_worse) {
  const std::string block = build_exif({.user_comment = kWide, .recipe_json = "{}", .description = "d"});
  ASSERT_EQ(read_exif(as_bytes(block)).take().user_comment, kWide);
  // The last four bytes point at a further directory, of which there is none.
  for (size_t keep = 0; keep < block.size() - 4; ++keep) {
    EXPECT_FALSE(read_exif(as_bytes(block).first(keep))) << keep;
  }
  for (size_t i = 0; i < block.size(); ++i) {
    std::string damaged = block;
    damaged[i] = static_cast<char>(damaged[i] ^ 0xff);
    (void)read_exif(as_bytes(damaged));  // run under the sanitizers: no access outside the block
  }
}

}  // namespace
}  // namespace maquette::media
