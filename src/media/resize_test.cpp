#include "media/resize.h"

#include <gtest/gtest.h>
#include <map>

#include "base/hash.h"
#include "base/json.h"
#include "media/golden_array.h"

namespace maquette::media {
namespace {

const std::map<std::string, Filter> kFilters = {{"nearest", Filter::nearest},
                                                {"box", Filter::box},
                                                {"bilinear", Filter::bilinear},
                                                {"bicubic", Filter::bicubic},
                                                {"lanczos", Filter::lanczos}};

TEST(Resize, equals_pillow_on_8_bits) {
  const Json cases = parse_json(read_text_file(golden_path("resize/cases.json")).take(), "cases.json").take();
  ASSERT_GT(cases.size(), 100u);
  for (const Json& item : cases) {
    const Image8 source = golden_image8(fmt::format("resize/source_{}", item["channels"].get<int>()));
    const Filter filter = kFilters.at(item["filter"].get<std::string>());
    const Image8 result = resize(source, item["height"].get<int>(), item["width"].get<int>(), filter);
    EXPECT_EQ(sha256_hex(std::as_bytes(result.data())), item["sha256"].get<std::string>()) << item.dump();
  }
}

// 1e-6: the sums are Pillow's, in binary64; only the compiler's order of operations may differ.
TEST(Resize, agrees_with_pillow_on_floats) {
  const Image source = to_float(golden_image8("resize/source_1"));
  for (const auto& [name, filter] : kFilters) {
    for (const auto& [height, width] : {std::pair(13, 20), std::pair(50, 61)}) {
      const Image expected = golden_image(fmt::format("resize/float_{}_{}x{}", name, height, width));
      EXPECT_LT(relative_error(resize(source, height, width, filter).pixels, expected.pixels), 1e-6) << name;
    }
  }
}

TEST(Resize, a_transparent_colour_never_bleeds) {
  Image image = Image::zeros(4, 4, 4);
  for (int64_t y = 0; y < 4; ++y) {
    for (int64_t x = 0; x < 4; ++x) {
      image.at(y, x, 0) = x < 2 ? 1.f : 0.f;  // red, opaque on the left
      image.at(y, x, 1) = x < 2 ? 0.f : 1.f;  // green, invisible on the right
      image.at(y, x, 3) = x < 2 ? 1.f : 0.f;
    }
  }
  for (const auto& [name, filter] : kFilters) {
    const Image8 small = to_8bit(resize(image, 2, 3, filter));
    for (int64_t x = 0; x < 3; ++x) {
      EXPECT_TRUE(small.at(0, x, 3) == 0 || small.at(0, x, 1) == 0) << name << " x " << x;
    }
  }
}

// Bicubic: 2e-6, as torch multiplies in another order.
TEST(Interpolate, agrees_with_torch) {
  const Tensor source = to_unit_tensor(to_float(golden_image8("resize/source_3")));
  const std::map<std::string, Interpolation> modes = {{"nearest", Interpolation::nearest},
                                                      {"nearest-exact", Interpolation::nearest_exact},
                                                      {"bilinear", Interpolation::bilinear},
                                                      {"bicubic", Interpolation::bicubic}};
  for (const auto& [name, mode] : modes) {
    for (const auto& [height, width] : {std::pair(13, 20), std::pair(41, 61)}) {
      const Tensor expected = read_golden(fmt::format("resize/torch_{}_{}x{}", name, height, width));
      const bool exact = mode == Interpolation::nearest || mode == Interpolation::nearest_exact;
      EXPECT_LE(relative_error(interpolate(source, height, width, mode), expected), exact ? 0 : 2e-6) << name;
    }
  }
}

TEST(Resize, refuses_empty_sizes) {
  EXPECT_THROW(resize(Image8::zeros(4, 4, 3), 0, 4, Filter::box), Error);
  EXPECT_THROW(interpolate(Tensor::zeros({1, 1, 4, 4}), 4, 0, Interpolation::nearest), Error);
}

}  // namespace
}  // namespace maquette::media
