#include "media/exr_delivery.h"

#include <bit>
#include <gtest/gtest.h>

#include "media/color.h"
#include "media/exr_header.h"
#include "media/image_io.h"

namespace maquette::media {
namespace {

Image ramp(int64_t channels) {
  Image image = Image::zeros(4, 16, channels);
  for (size_t i = 0; i < image.data().size(); ++i) image.data()[i] = static_cast<float>(i % 251) / 250.f;
  return image;
}

std::optional<ExrAttribute> attribute(const std::string& file, std::string_view name) {
  const std::vector<ExrPart> parts = read_exr_header(as_bytes(file)).take();
  for (const ExrAttribute& found : parts.at(0)) {
    if (found.name == name) return found;
  }
  return std::nullopt;
}

std::vector<int32_t> window(const std::string& file, std::string_view name) {
  const ExrAttribute found = attribute(file, name).value();
  std::vector<int32_t> numbers;
  for (size_t i = 0; i < 4; ++i)
    numbers.push_back(
        static_cast<int32_t>(read_number<uint32_t>(found.value, i * 4, Endian::little).value()));
  return numbers;
}

std::array<float, 3> converted(std::array<float, 3> pixel, std::string_view from, std::string_view to) {
  ColorConfig::built_in().convert(pixel, 3, from, to);
  return pixel;
}

TEST(ColorConfig, WhiteStaysWhiteAndRedGoesWhereItShould) {
  for (const std::string& space : ColorConfig::built_in().spaces()) {
    if (space == "Raw") continue;
    for (const float value : converted({1, 1, 1}, "srgb_tx", space)) EXPECT_NEAR(value, 1, 1e-5) << space;
  }
  // Rec.709 red in ACES2065-1 and ACEScg as published (S-2014-004, with Bradford adaptation).
  const auto ap0 = converted({1, 0, 0}, "lin_rec709", "lin_ap0");
  EXPECT_NEAR(ap0[0], 0.4396330, 1e-5);
  EXPECT_NEAR(ap0[1], 0.0897764, 1e-5);
  EXPECT_NEAR(ap0[2], 0.0175412, 1e-5);
  const auto ap1 = converted({1, 0, 0}, "lin_rec709", "scene_linear");
  EXPECT_NEAR(ap1[0], 0.6130974, 1e-5);
  EXPECT_NEAR(ap1[1], 0.0701937, 1e-5);
  EXPECT_NEAR(ap1[2], 0.0206156, 1e-5);
}

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;  // rows

double determinant(const Matrix& m) {
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
         m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
         m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

// m x = b, by Cramer's rule.
Vector solve(const Matrix& m, const Vector& b) {
  Vector x{};
  for (size_t column = 0; column < 3; ++column) {
    Matrix replaced = m;
    for (size_t row = 0; row < 3; ++row) replaced[row][column] = b[row];
    x[column] = determinant(replaced) / determinant(m);
  }
  return x;
}

Vector times(const Matrix& m, const Vector& v) {
  Vector out{};
  for (size_t row = 0; row < 3; ++row) out[row] = m[row][0] * v[0] + m[row][1] * v[1] + m[row][2] * v[2];
  return out;
}

Vector xyz(double x, double y) { return {x / y, 1, (1 - x - y) / y}; }

// RGB to XYZ, from the chromaticities of red, green, blue and white (SMPTE RP 177).
Matrix to_xyz(const std::array<float, 8>& c) {
  Matrix m{};
  for (size_t i = 0; i < 3; ++i) {
    const Vector column = xyz(c[2 * i], c[2 * i + 1] == 0 ? 1e-9 : c[2 * i + 1]);
    for (size_t row = 0; row < 3; ++row) m[row][i] = column[row];
  }
  const Vector scale = solve(m, xyz(c[6], c[7]));
  for (Vector& row : m) {
    for (size_t i = 0; i < 3; ++i) row[i] *= scale[i];
  }
  return m;
}

constexpr Matrix kBradford = {
    {{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}};

// The same colour under another white.
Vector adapted(const Vector& color, const Vector& from, const Vector& to) {
  Vector cones = times(kBradford, color);
  const Vector before = times(kBradford, from);
  const Vector after = times(kBradford, to);
  for (size_t i = 0; i < 3; ++i) cones[i] *= after[i] / before[i];
  return solve(kBradford, cones);
}

TEST(ColorConfig, MatricesFollowFromTheChromaticities) {
  const ColorConfig& config = ColorConfig::built_in();
  const std::array<float, 8> ap0 = config.identity("lin_ap0")->chromaticities;
  for (const char* space : {"lin_rec709", "lin_ap1", "lin_p3d65", "lin_rec2020"}) {
    const std::array<float, 8> own = config.identity(space)->chromaticities;
    for (size_t primary = 0; primary < 3; ++primary) {
      Vector light{};
      light[primary] = 1;
      const Vector there = adapted(times(to_xyz(own), light), xyz(own[6], own[7]), xyz(ap0[6], ap0[7]));
      const Vector expected = solve(to_xyz(ap0), there);
      std::array<float, 3> pixel{};
      pixel[primary] = 1;
      const std::array<float, 3> found = converted(pixel, space, "lin_ap0");
      for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], expected[i], 2e-6) << space << primary;
    }
  }
}

TEST(ColorConfig, CurveIsThatOfSrgb) {
  for (int level = 0; level < 256; ++level) {
    const float value = static_cast<float>(level) / 255.f;
    EXPECT_NEAR(converted({value, value, value}, "srgb_tx", "lin_rec709")[1], srgb_to_linear(value), 2e-6)
        << level;
  }
}

TEST(ColorConfig, ReadsAStudiosOwnAndTrustsNoNames) {
  const fs::path folder = fs::path(testing::TempDir()) / "maquette_ocio";
  fs::create_directories(folder);
  // A configuration that calls Rec.709's primaries ACEScg.
  std::string text = read_text_file(fs::path(MAQUETTE_SOURCE_DIR) / "data/color/maquette.ocio").take();
  const size_t begin = text.find("matrix: ", text.find("name: ACEScg")) + 8;
  const size_t other = text.find("matrix: ", text.find("name: Linear Rec.709")) + 8;
  const std::string matrix = text.substr(other, text.find(']', other) + 1 - other);
  text.replace(begin, text.find(']', begin) + 1 - begin, matrix);
  write_file_atomically(folder / "studio.ocio", text);
  const ColorConfig studio = ColorConfig::read(folder / "studio.ocio").take();
  EXPECT_EQ(studio.space("scene_linear"), "ACEScg");
  EXPECT_FALSE(studio.identity("scene_linear"));
  EXPECT_EQ(studio.identity("lin_ap0")->interop_id, "lin_ap0_scene");
  EXPECT_FALSE(attribute(encode_exr_delivery(ramp(3), {.config = &studio}), "chromaticities"));
  EXPECT_EQ(as_text(attribute(encode_exr_delivery(ramp(3), {.config = &studio}), "colorInteropID")->value),
            "unknown");

  write_file_atomically(folder / "bad.ocio", "ocio_profile_version: 2\nroles: [");
  EXPECT_EQ(ColorConfig::read(folder / "bad.ocio").error().code(), ErrorCode::bad_file);
  EXPECT_EQ(ColorConfig::read(folder / "none.ocio").error().code(), ErrorCode::not_found);
  fs::remove_all(folder);
}

TEST(ExrDelivery, ValuesAreLinearAndComeBack) {
  const Image picture = ramp(3);
  const std::string file = encode_exr_delivery(picture, {.to = "lin_rec709"});
  EXPECT_EQ(file, encode_exr_delivery(picture, {.to = "lin_rec709"}));
  const Image back = decode_image(as_bytes(file)).take();
  for (size_t i = 0; i < picture.data().size(); ++i) EXPECT_NEAR(back.data()[i], picture.data()[i], 1e-3);
}

TEST(ExrDelivery, AlphaIsMultipliedIn) {
  Image picture = Image::zeros(1, 1, 4);
  for (const int64_t c : {0, 1, 2}) picture.at(0, 0, c) = 1;
  picture.at(0, 0, 3) = 0.25f;
  const std::string file = encode_exr_delivery(picture, {.to = "lin_rec709"});
  const Image back = decode_image(as_bytes(file), {.float_values = FloatValues::stored}).take();
  EXPECT_EQ(back.at(0, 0, 3), 0.25f);
  EXPECT_NEAR(back.at(0, 0, 0), 1, 1e-3);  // our reader divides it out again
}

TEST(ExrDelivery, OverscanIsInTheWindows) {
  const std::string file =
      encode_exr_delivery(ramp(3), {.overscan = {.left = 3, .top = 1, .right = 2, .bottom = 0}});
  EXPECT_EQ(window(file, "dataWindow"), (std::vector<int32_t>{-3, -1, 12, 2}));
  EXPECT_EQ(window(file, "displayWindow"), (std::vector<int32_t>{0, 0, 10, 2}));
  EXPECT_THROW(encode_exr_delivery(ramp(3), {.overscan = {.left = 16}}), Error);
  EXPECT_THROW(encode_exr_delivery(ramp(3), {.overscan = {.left = -1}}), Error);
}

TEST(ExrDelivery, SpaceIsWrittenDown) {
  const std::string file = encode_exr_delivery(ramp(3), {.metadata = {.parameters = "lantern"}});
  EXPECT_EQ(as_text(attribute(file, "colorInteropID")->value), "lin_ap1_scene");
  EXPECT_EQ(as_text(attribute(file, "parameters")->value), "lantern");
  const ExrAttribute found = attribute(file, "chromaticities").value();
  EXPECT_EQ(std::bit_cast<float>(read_number<uint32_t>(found.value, 0, Endian::little).value()), 0.713f);
  EXPECT_FALSE(attribute(encode_exr_delivery(ramp(3), {.chromaticities = false}), "chromaticities"));
  EXPECT_EQ(as_text(attribute(file, "compression")->value), std::string(1, '\3'));  // ZIP
}

TEST(ExrDelivery, MistakesAreNamed) {
  try {
    encode_exr_delivery(ramp(3), {.to = "ACEScgg"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.hint_text(), "did you mean \"ACEScg\"?");
  }
  Image bad = ramp(3);
  bad.at(0, 0) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(encode_exr_delivery(bad, {}), Error);
}

}  // namespace
}  // namespace maquette::media
