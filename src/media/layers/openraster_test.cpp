#include "media/layers/openraster.h"

#include <gtest/gtest.h>

#include "media/image_io.h"
#include "media/layers/sample_layers.h"

namespace maquette::media {
namespace {

int largest_difference(const IntegerPixels& a, const IntegerPixels& b) {
  EXPECT_EQ(a.bits(), b.bits());
  int largest = 0;
  for (int64_t y = 0; y < a.height(); ++y) {
    for (int64_t x = 0; x < a.width(); ++x) {
      for (int c = 0; c < 4; ++c) largest = std::max(largest, std::abs(a.at(y, x, c) - b.at(y, x, c)));
    }
  }
  return largest;
}

// An archive around `stack`, with one good picture.
std::string archive(const std::string& stack, const std::string& mimetype = "image/openraster") {
  const std::string png = encode_image(to_image(sample_pixels(3, 4, 8, 0, true)), ImageFormat::png);
  return write_zip({{.name = "mimetype", .bytes = mimetype, .compressed = false},
                    {.name = "stack.xml", .bytes = stack},
                    {.name = "data/a.png", .bytes = png},
                    {.name = "../a.png", .bytes = png},
                    {.name = "data/zeros.png", .bytes = std::string(size_t{8} << 20, '\0')}});
}

std::string image(const std::string& layers) {
  return R"(<image w="9" h="7"><stack>)" + layers + "</stack></image>";
}

// What the reader found wrong.
std::string refusal(const std::string& file, const OpenRasterLimits& limits = {}) {
  const Result<OpenRasterPicture> picture = decode_openraster(as_bytes(file), limits);
  if (picture) return "nothing";
  EXPECT_EQ(picture.error().code(), ErrorCode::bad_file);
  return picture.error().message();
}

TEST(OpenRaster, LayersComeBack) {
  for (const int bits : {8, 16}) {
    const LayeredPicture written = sample_picture(bits);
    const auto read = decode_openraster(as_bytes(encode_openraster(written))).take();
    const LayeredPicture& picture = read.picture;
    EXPECT_EQ(picture.bits, bits);
    EXPECT_EQ(picture.dpi, 300);
    EXPECT_TRUE(read.notes.empty());
    // The masked layer became three.
    ASSERT_EQ(picture.layers.size(), written.layers.size() + 2);
    EXPECT_EQ(picture.layers[1].name, "Réverbère 灯");
    EXPECT_EQ(picture.layers[1].pixels, written.layers[1].pixels);
    EXPECT_EQ(picture.layers[1].x, -8);
    EXPECT_EQ(picture.layers[2].blend, BlendMode::multiply);
    EXPECT_DOUBLE_EQ(picture.layers[2].opacity, 0.6);
    EXPECT_EQ(picture.layers[2].name, "Shadows <&\">");
    EXPECT_FALSE(picture.layers[6].visible);
    ASSERT_TRUE(picture.layers[7].is_group);
    EXPECT_FALSE(picture.layers[7].pass_through);
    EXPECT_TRUE(picture.layers[7].children[1].pass_through);
    EXPECT_LE(largest_difference(composite(picture), composite(written)), 1);
  }
}

TEST(OpenRaster, MasksAreAppliedAndKept) {
  const LayeredPicture written = sample_picture(16);
  const LayeredPicture picture = decode_openraster(as_bytes(encode_openraster(written))).take().picture;
  EXPECT_EQ(picture.layers[3].name, "Masked (mask)");
  EXPECT_EQ(picture.layers[4].name, "Masked (without mask)");
  EXPECT_EQ(picture.layers[4].pixels, written.layers[3].pixels);
  EXPECT_EQ(picture.layers[3].pixels.at(7, 9, 1), written.layers[3].mask->pixels.at(7, 9, 0));
  EXPECT_EQ(picture.layers[3].x, 12);
  EXPECT_FALSE(picture.layers[3].visible || picture.layers[4].visible);
  EXPECT_TRUE(picture.layers[5].visible);
}

TEST(OpenRaster, GroupsWithMasksAreMerged) {
  LayeredPicture written = sample_picture(8);
  written.layers.back().mask = sample_mask(40, 60, 8);
  const LayeredPicture picture = decode_openraster(as_bytes(encode_openraster(written))).take().picture;
  EXPECT_EQ(picture.layers.back().name, "Lights");
  EXPECT_FALSE(picture.layers.back().is_group);
  EXPECT_TRUE(picture.layers[picture.layers.size() - 2].is_group);
  EXPECT_LE(largest_difference(composite(picture), composite(written)), 1);
}

TEST(OpenRaster, FilesFollowTheSpecification) {
  const std::string file = encode_openraster(sample_picture(8), {.parameters = "a lantern"});
  EXPECT_EQ(file, encode_openraster(sample_picture(8), {.parameters = "a lantern"}));
  // The first entry is stored, has no extra field, and its bytes stand at a fixed place.
  EXPECT_EQ(file.substr(30, 24), "mimetypeimage/openraster");
  ZipReader zip = ZipReader::open(as_bytes(file)).take();
  const std::string merged = zip.read("mergedimage.png").take();
  EXPECT_EQ(parse_picture_metadata(as_bytes(merged)).take().parameters, "a lantern");
  EXPECT_EQ(rgba_pixels(decode_image(as_bytes(merged)).take()), composite(sample_picture(8)));
  const Image thumbnail = decode_image(as_bytes(zip.read("Thumbnails/thumbnail.png").take())).take();
  EXPECT_EQ(thumbnail.width(), 96);
}

TEST(OpenRaster, ReadsWhatOtherProgramsWrite) {
  const auto read = decode_openraster(as_bytes(archive(image(
      R"(<layer src="data/a.png" x="2.0" composite-op="krita:greater"/><text/><layer name="empty"/><filter/>)"))));
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->picture.layers.size(), 1u);
  EXPECT_EQ(read->picture.layers[0].x, 2);
  EXPECT_EQ(read->notes.size(), 4u);
}

TEST(OpenRaster, RefusesHostileFiles) {
  const std::string layer = R"(<layer src="data/a.png"/>)";
  EXPECT_EQ(refusal(archive(image(layer))), "nothing");
  EXPECT_NE(refusal("PK not a zip"), "nothing");
  EXPECT_NE(refusal(archive(image(layer), "image/png")).find("mimetype"), std::string::npos);
  EXPECT_NE(refusal(archive("<image w=\"9\"")).find("damaged XML"), std::string::npos);
  EXPECT_NE(refusal(archive(R"(<image w="90000000" h="2"><stack/></image>)")), "nothing");
  EXPECT_NE(refusal(archive(R"(<image w="0" h="2"><stack/></image>)")), "nothing");
  EXPECT_NE(refusal(archive(image(R"(<layer src="../a.png"/>)"))).find("leaves the archive"),
            std::string::npos);
  EXPECT_NE(refusal(archive(image(R"(<layer src="data/none.png"/>)"))).find("no such entry"),
            std::string::npos);
  EXPECT_NE(refusal(archive(image(R"(<layer src="data/zeros.png"/>)"))).find("no PNG"), std::string::npos);
  EXPECT_NE(refusal(archive(image(R"(<layer src="data/a.png" x="1e12"/>)"))).find("x="), std::string::npos);
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<stack>";
  for (int i = 0; i < 100'000; ++i) deep += "</stack>";
  EXPECT_NE(refusal(archive(image(deep))).find("levels"), std::string::npos);
}

TEST(OpenRaster, LimitsHold) {
  const std::string bomb = archive(image(R"(<layer src="data/zeros.png"/>)"));
  EXPECT_LT(bomb.size(), 20'000u);
  EXPECT_NE(refusal(bomb, {.zip = {.entry_bytes = 1 << 20}}).find("unpacked"), std::string::npos);
  std::string many;
  for (int i = 0; i < 40; ++i) many += R"(<layer src="data/a.png"/>)";
  EXPECT_NE(refusal(archive(image(many)), {.all_pixels = 300}), "nothing");
  EXPECT_NE(refusal(archive(image(many)), {.zip = {.all_bytes = 2000}}), "nothing");
  EXPECT_NE(refusal(archive(image(many)), {.zip = {.entries = 4}}).find("entries"), std::string::npos);
}

TEST(OpenRaster, DamageIsRefusedOrHarmless) {
  const std::string good = encode_openraster(sample_picture(8, false));
  for (size_t at = 0; at < good.size(); at += 97) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    const auto read = decode_openraster(as_bytes(damaged));
    EXPECT_TRUE(!read || read->picture.layers.size() <= 8);
  }
  for (size_t size = 0; size < good.size(); size += 499) EXPECT_NE(refusal(good.substr(0, size)), "nothing");
}

}  // namespace
}  // namespace maquette::media
