#include "media/image_io.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "media/golden_array.h"

namespace maquette::media {
namespace {

Image noise(int64_t height, int64_t width, int64_t channels) {
  std::mt19937 random(5);
  Image image = Image::zeros(height, width, channels);
  for (float& v : image.data()) v = static_cast<float>(random() % 65536) / 65535.f;
  return image;
}

fs::path scratch(const std::string& name) {
  return fs::path(testing::TempDir()) / ("maquette_media_" + name);
}

// Lossless files read as Pillow reads them, level by level.
TEST(ImageIo, reads_what_pillow_reads) {
  for (const std::string name :
       {"rgb.png", "rgba.png", "grey.png", "grey_alpha.png", "palette.png", "palette_clear.png",
        "bilevel.png", "rgb.tif", "rgba.tif", "grey.tif", "rgb.webp", "rgb.bmp", "palette.bmp"}) {
    const Image image = read_image(golden_path("read/" + name)).take();
    EXPECT_EQ(level_difference(to_8bit(image), golden_image8("read/" + name)), 0) << name;
  }
}

// The WebP decoder gives colours multiplied by alpha and rounded: 1 level there, and no colour where alpha is
// 0.
TEST(ImageIo, reads_webp_with_alpha) {
  const Image image = read_image(golden_path("read/rgba.webp")).take();
  const Image expected = to_float(golden_image8("read/rgba.webp"));
  ASSERT_EQ(image.pixels.shape().text(), expected.pixels.shape().text());
  for (int64_t y = 0; y < image.height(); ++y) {
    for (int64_t x = 0; x < image.width(); ++x) {
      const float alpha = expected.at(y, x, 3);
      EXPECT_EQ(image.at(y, x, 3), alpha);
      for (int64_t c = 0; c < 3; ++c)
        EXPECT_NEAR(image.at(y, x, c) * alpha, expected.at(y, x, c) * alpha, 1.01 / 255);
    }
  }
}

// 2 levels: two builds of the JPEG library may round their transforms differently.
TEST(ImageIo, reads_jpeg_and_applies_the_orientation) {
  std::vector<std::string> names = {"rgb.jpg", "progressive.jpg", "grey.jpg"};
  for (int i = 1; i <= 8; ++i) names.push_back(fmt::format("orientation_{}.jpg", i));
  for (const std::string& name : names) {
    const Image image = read_image(golden_path("read/" + name)).take();
    EXPECT_LE(level_difference(to_8bit(image), golden_image8("read/" + name)), 2) << name;
  }
}

TEST(ImageIo, sixteen_bits_survive) {
  for (const std::string name : {"rgb16.png", "rgb16.tif"}) {
    const Image image = read_image(golden_path("read/" + name)).take();
    const Tensor expected = read_golden("read/" + name);
    ASSERT_EQ(image.pixels.shape().text(), expected.shape().text());
    for (size_t i = 0; i < image.data().size(); ++i) {
      ASSERT_EQ(std::lround(image.data()[i] * 65535.f), expected.data<int32_t>()[i])
          << name << " value " << i;
    }
  }
}

struct Form {
  ImageFormat format;
  int bits;
  int64_t channels;
};

// What was quantised once is not changed by writing and reading again.
TEST(ImageIo, lossless_formats_round_trip_exactly) {
  const Form forms[] = {{ImageFormat::png, 8, 1},   {ImageFormat::png, 8, 3},  {ImageFormat::png, 8, 4},
                        {ImageFormat::png, 16, 1},  {ImageFormat::png, 16, 3}, {ImageFormat::png, 16, 4},
                        {ImageFormat::tiff, 8, 1},  {ImageFormat::tiff, 8, 3}, {ImageFormat::tiff, 8, 4},
                        {ImageFormat::tiff, 16, 3}, {ImageFormat::tiff, 16, 4}};
  for (const Form& form : forms) {
    const Image image = noise(9, 31, form.channels);
    const std::string file = encode_image(image, form.format, {.bits = form.bits, .dpi = 300});
    const Image back = decode_image(as_bytes(file)).take();
    ASSERT_EQ(back.pixels.shape().text(), image.pixels.shape().text());
    const float maximum = form.bits == 8 ? 255.f : 65535.f;
    for (size_t i = 0; i < back.data().size(); ++i) {
      ASSERT_EQ(std::nearbyint(back.data()[i] * maximum), std::nearbyint(image.data()[i] * maximum))
          << name(form.format) << form.bits << "x" << form.channels << " value " << i;
    }
  }
}

TEST(ImageIo, exr_holds_linear_light) {
  Image image = noise(8, 12, 3);
  image.at(0, 0, 0) = 0.5f;
  for (const int bits : {16, 32}) {
    const std::string file = encode_image(image, ImageFormat::exr, {.bits = bits});
    const Image stored = decode_image(as_bytes(file), {.float_values = FloatValues::stored}).take();
    EXPECT_NEAR(stored.at(0, 0, 0), 0.21404114, bits == 16 ? 1e-4 : 1e-7);  // ((0.5 + 0.055) / 1.055) ^ 2.4
    const Image back = decode_image(as_bytes(file)).take();
    const double tolerance = bits == 16 ? 6e-4 : 2e-6;  // a half has 11 bits
    for (size_t i = 0; i < back.data().size(); ++i)
      ASSERT_NEAR(back.data()[i], image.data()[i], tolerance) << i;
    // The header names the primaries, and no date.
    EXPECT_NE(file.find("chromaticities"), std::string::npos);
    EXPECT_EQ(file.find("202"), std::string::npos) << "a year";
  }
}

TEST(ImageIo, exr_keeps_straight_alpha_through_association) {
  Image image = noise(8, 12, 4);
  for (int64_t x = 0; x < 12; ++x) image.at(3, x, 3) = 0.25f + 0.05f * static_cast<float>(x);
  const Image back = decode_image(as_bytes(encode_image(image, ImageFormat::exr, {.bits = 32}))).take();
  for (int64_t x = 0; x < 12; ++x) {
    for (int64_t c = 0; c < 4; ++c) EXPECT_NEAR(back.at(3, x, c), image.at(3, x, c), 1e-5);
  }
}

TEST(ImageIo, lossy_formats_stay_close) {
  // Smooth colours: noise would measure the codec, not our use of it.
  Image image = Image::zeros(48, 64, 3);
  for (int64_t y = 0; y < 48; ++y) {
    for (int64_t x = 0; x < 64; ++x) {
      image.at(y, x, 0) = static_cast<float>(x) / 63.f;
      image.at(y, x, 1) = static_cast<float>(y) / 47.f;
      image.at(y, x, 2) = 0.4f;
    }
  }
  for (const ImageFormat format : {ImageFormat::jpeg, ImageFormat::webp}) {
    const Image back = decode_image(as_bytes(encode_image(image, format, {.quality = 95}))).take();
    EXPECT_LE(level_difference(to_8bit(back), to_8bit(image)), 12) << name(format);
  }
  const Image grey = decode_image(as_bytes(encode_image(to_grey(image), ImageFormat::webp))).take();
  EXPECT_EQ(grey.channels(), 3);
}

TEST(ImageIo, equal_pictures_are_equal_bytes_at_any_time) {
  const Image image = noise(20, 30, 3);
  const WriteOptions options{.dpi = 300, .metadata = {.parameters = "a", .recipe_json = "{}", .other = {}}};
  std::vector<std::string> first;
  for (const auto format :
       {ImageFormat::png, ImageFormat::jpeg, ImageFormat::tiff, ImageFormat::webp, ImageFormat::exr}) {
    first.push_back(encode_image(image, format, options));
  }
  // Dates in these formats count seconds: the second writing happens in another second.
  timespec pause{1, 100'000'000};
  nanosleep(&pause, nullptr);
  for (const auto format :
       {ImageFormat::png, ImageFormat::jpeg, ImageFormat::tiff, ImageFormat::webp, ImageFormat::exr}) {
    EXPECT_TRUE(encode_image(image, format, options) == first[static_cast<size_t>(format)]) << name(format);
  }
  for (const std::string& file : first) EXPECT_EQ(file.find("OpenImageIO"), std::string::npos);
}

TEST(ImageIo, refuses_what_a_format_cannot_hold) {
  Image image = noise(4, 4, 4);
  EXPECT_THROW(encode_image(image, ImageFormat::jpeg), Error);
  EXPECT_THROW(encode_image(image, ImageFormat::webp, {.bits = 16}), Error);
  EXPECT_THROW(encode_image(image, ImageFormat::exr, {.bits = 8}), Error);
  EXPECT_THROW(encode_image(image, ImageFormat::bmp), Error);
  EXPECT_THROW(write_image(scratch("x.xyz"), image), Error);
  image.at(1, 2, 1) = std::numeric_limits<float>::quiet_NaN();
  for (const auto format : {ImageFormat::png, ImageFormat::tiff, ImageFormat::webp, ImageFormat::exr}) {
    EXPECT_THROW(encode_image(image, format), Error) << name(format);
  }
}

TEST(ImageIo, a_refused_write_leaves_the_old_file) {
  const fs::path path = scratch("kept.png");
  Image image = noise(4, 4, 3);
  write_image(path, image);
  const std::string before = read_text_file(path).take();
  image.at(0, 0) = std::numeric_limits<float>::infinity();
  EXPECT_THROW(write_image(path, image), Error);
  EXPECT_EQ(read_text_file(path).take(), before);
}

TEST(ImageIo, cut_off_and_damaged_files_are_errors) {
  for (const std::string name : {"rgb.png", "rgb16.png", "rgb.jpg", "rgb.tif", "rgb.webp", "rgb.bmp"}) {
    const std::string file = read_text_file(golden_path("read/" + name)).take();
    for (const size_t keep : {size_t{0}, size_t{3}, size_t{20}, size_t{60}, file.size() / 2}) {
      EXPECT_FALSE(decode_image(as_bytes(file).first(std::min(keep, file.size() - 1))))
          << name << " " << keep;
    }
  }
  const std::string exr = encode_image(noise(40, 40, 3), ImageFormat::exr);
  for (const size_t keep : {size_t{8}, size_t{100}, exr.size() / 2}) {
    EXPECT_FALSE(decode_image(as_bytes(exr).first(keep))) << keep;
  }
  EXPECT_EQ(decode_image(as_bytes("not a picture at all")).error().code(), ErrorCode::bad_file);
  EXPECT_EQ(read_image("/nonexistent.png").error().code(), ErrorCode::not_found);
}

// A header that promises a terapixel must be refused by its size, not by running out of memory.
TEST(ImageIo, absurd_sizes_are_refused_before_allocating) {
  std::string png = read_text_file(golden_path("read/rgb.png")).take();
  png.replace(16, 8, std::string("\x00\x10\x00\x00\x00\x10\x00\x00", 8));  // 1,048,576 squared
  EXPECT_NE(decode_image(as_bytes(png)).error().message().find("1048576"), std::string::npos);
  png.replace(16, 8, std::string("\x00\x00\x3f\x00\x00\x00\x3f\x00", 8));  // allowed, but not in so few bytes
  EXPECT_FALSE(decode_image(as_bytes(png)));

  std::string bmp = read_text_file(golden_path("read/rgb.bmp")).take();
  bmp.replace(18, 8, std::string("\xff\xff\xff\x7f\xff\xff\xff\x7f", 8));
  EXPECT_FALSE(decode_image(as_bytes(bmp)));

  std::string tiff = read_text_file(golden_path("read/grey.tif")).take();
  const size_t rows = tiff.find(std::string("\x16\x01\x04\x00\x01\x00\x00\x00", 8));  // RowsPerStrip, one u32
  ASSERT_NE(rows, std::string::npos);
  tiff.replace(rows + 8, 4, "\xff\xff\xff\xff");  // the default: one strip for all
  EXPECT_TRUE(decode_image(as_bytes(tiff)));
  tiff.replace(rows + 8, 4, "\xff\xff\xff\x7e");
  EXPECT_FALSE(decode_image(as_bytes(tiff)));

  const std::string file = encode_image(noise(16, 16, 3), ImageFormat::png);
  EXPECT_FALSE(decode_image(as_bytes(file), {.limits = {.pixels = 255}}));
  EXPECT_TRUE(decode_image(as_bytes(file), {.limits = {.pixels = 256}}));
}

}  // namespace
}  // namespace maquette::media
