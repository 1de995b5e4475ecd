// What other programs make of these files is seen by tools/check_delivery.
#include "media/layers/psd.h"

#include <gtest/gtest.h>

#include "media/bytes.h"
#include "media/layers/psd_bytes.h"
#include "media/layers/sample_layers.h"

namespace maquette::media {
namespace {

std::string unpack_bits(std::string_view packed) {
  std::string out;
  for (size_t at = 0; at < packed.size();) {
    const auto head = static_cast<int8_t>(packed[at++]);
    if (head >= 0) {
      out += packed.substr(at, static_cast<size_t>(head) + 1);
      at += static_cast<size_t>(head) + 1;
    } else {
      out.append(static_cast<size_t>(1 - head), packed[at++]);
    }
  }
  return out;
}

TEST(PackBits, ComesBackAndIsAsShortAsPromised) {
  std::string mixed;
  for (int i = 0; i < 1000; ++i) mixed.append(static_cast<size_t>(i % 7), static_cast<char>(i * 37));
  for (const std::string& row : {std::string(), std::string("a"), std::string("aa"), std::string("aaa"),
                                 std::string("abcabc"), std::string(128, 'x'), std::string(129, 'x'),
                                 std::string(1000, 'x'), std::string("ab") + std::string(300, 'c'), mixed}) {
    const std::string packed = pack_bits(row);
    EXPECT_EQ(unpack_bits(packed), row);
    EXPECT_LE(packed.size(), row.size() + (row.size() + 127) / 128);
  }
  EXPECT_EQ(pack_bits(std::string(128, 'x')), (std::string{static_cast<char>(-127), 'x'}));
}

TEST(Psd, HeaderSaysWhatIsInIt) {
  const std::string file = encode_psd(sample_picture(16));
  EXPECT_EQ(file.substr(0, 4), "8BPS");
  const Bytes bytes = as_bytes(file);
  EXPECT_EQ(read_number<uint16_t>(bytes, 4, Endian::big), 1);
  EXPECT_EQ(read_number<uint16_t>(bytes, 12, Endian::big), 3);  // opaque: no alpha
  EXPECT_EQ(read_number<uint32_t>(bytes, 14, Endian::big), 72u);
  EXPECT_EQ(read_number<uint32_t>(bytes, 18, Endian::big), 96u);
  EXPECT_EQ(read_number<uint16_t>(bytes, 22, Endian::big), 16);
  EXPECT_EQ(file, encode_psd(sample_picture(16)));
  EXPECT_EQ(read_number<uint16_t>(as_bytes(encode_psd(sample_picture(8, false))), 12, Endian::big), 4);
}

TEST(Psd, LargePicturesNeedPsb) {
  LayeredPicture picture{.width = 30'000, .height = 1};
  picture.layers.push_back({.name = "a", .pixels = sample_pixels(1, 30'000, 8, 0, true)});
  EXPECT_FALSE(needs_psb(picture));
  picture.width = 30'001;
  EXPECT_TRUE(needs_psb(picture));
  EXPECT_EQ(read_number<uint16_t>(as_bytes(encode_psd(picture)), 4, Endian::big), 2);
  EXPECT_THROW(write_psd(fs::path(testing::TempDir()) / "large.psd", picture), Error);
}

TEST(Psd, NamesAreKeptWhole) {
  LayeredPicture picture = sample_picture(8);
  picture.layers[0].name = std::string(400, 'n');
  const std::string file = encode_psd(picture);
  EXPECT_NE(file.find(std::string(255, 'n')), std::string::npos);
  std::string wide;
  for (int i = 0; i < 400; ++i) wide += std::string("\0n", 2);
  EXPECT_NE(file.find("luni" + std::string("\0\0\3\x24\0\0\1\x90", 8) + wide), std::string::npos);
}

}  // namespace
}  // namespace maquette::media
