#include "media/exr_header.h"

#include <gtest/gtest.h>

#include "media/image_io.h"

namespace maquette::media {
namespace {

std::string small_exr() {
  return encode_image(Image::zeros(6, 8, 3), ImageFormat::exr, {.metadata = {.parameters = "a tower"}});
}

// Overwrites the value of an attribute, or only its size field where `at` is negative.
std::string with(std::string file, const std::string& attribute, int at, uint32_t value) {
  const size_t name = file.find(attribute + '\0');
  const size_t size_field = file.find('\0', name + attribute.size() + 1) + 1;
  std::string bytes;
  append_number(bytes, value, Endian::little);
  return file.replace(at < 0 ? size_field : size_field + 4 + static_cast<size_t>(at), 4, bytes);
}

TEST(ExrHeader, reads_the_attributes) {
  const std::string file = small_exr();
  const std::vector<ExrPart> parts = read_exr_header(as_bytes(file)).take();
  ASSERT_EQ(parts.size(), 1u);
  const auto found = std::ranges::find(parts[0], "parameters", &ExrAttribute::name);
  ASSERT_NE(found, parts[0].end());
  EXPECT_EQ(found->type, "string");
  EXPECT_EQ(as_text(found->value), "a tower");
  EXPECT_FALSE(check_exr(as_bytes(file), {}));
}

TEST(ExrHeader, sizes_that_cannot_be_are_refused) {
  const std::string file = small_exr();
  EXPECT_FALSE(check_exr(as_bytes(with(file, "dataWindow", 8, 7)), {})) << "7 is what it was";
  EXPECT_TRUE(check_exr(as_bytes(with(file, "dataWindow", 8, 0x7fffffff)), {}));
  EXPECT_TRUE(check_exr(as_bytes(with(file, "dataWindow", 8, 0xffffff00)), {}));
  EXPECT_TRUE(check_exr(as_bytes(with(file, "dataWindow", 12, 30000)), {})) << "no room for the offset table";
  EXPECT_TRUE(check_exr(as_bytes(with(file, "displayWindow", 12, 0x7fffffff)), {}));
  EXPECT_TRUE(check_exr(as_bytes(with(file, "parameters", -1, 0x70000000)), {}));
  EXPECT_TRUE(check_exr(as_bytes(with(file, "compression", 0, 77)), {}));
  EXPECT_TRUE(check_exr(as_bytes(file), {.channels = 2}));
  for (size_t keep = 0; keep < 300; ++keep) EXPECT_TRUE(check_exr(as_bytes(file).first(keep), {})) << keep;
}

}  // namespace
}  // namespace maquette::media
