// Packed forms of "hello hello hello hello\n" made with Python's zlib 1.2.13 (compress at level 9; raw with
// wbits -15).
#include "base/deflate.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace maquette {
namespace {

using namespace std::string_view_literals;

constexpr auto kZlib = "\170\332\313\110\315\311\311\127\310\100\047\271\000\160\276\010\273"sv;
constexpr auto kRaw = "\313\110\315\311\311\127\310\100\047\271\000"sv;
constexpr std::string_view kPlain = "hello hello hello hello\n";

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string text(const std::vector<std::byte>& data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

TEST(Deflate, unpacks_both_forms) {
  EXPECT_EQ(text(inflate(bytes(kZlib), DeflateForm::zlib, 1000).take()), kPlain);
  EXPECT_EQ(text(inflate(bytes(kRaw), DeflateForm::raw, kPlain.size()).take()), kPlain);
  std::vector<std::byte> out(kPlain.size());
  EXPECT_EQ(inflate_into(bytes(kRaw), DeflateForm::raw, out).take(), kPlain.size());
  EXPECT_EQ(text(out), kPlain);
}

TEST(Deflate, stops_at_the_limit) {
  const auto result = inflate(bytes(kZlib), DeflateForm::zlib, kPlain.size() - 1);
  ASSERT_FALSE(result);
  EXPECT_STREQ(result.error().what(), "more than 23 bytes");
}

TEST(Deflate, refuses_damage) {
  for (size_t cut = 0; cut < kZlib.size(); ++cut) {
    EXPECT_FALSE(inflate(bytes(kZlib.substr(0, cut)), DeflateForm::zlib, 1000)) << cut;
  }
  std::string wrong(kZlib);
  wrong.back() = static_cast<char>(wrong.back() ^ 1);  // the checksum
  EXPECT_FALSE(inflate(bytes(wrong), DeflateForm::zlib, 1000));
  EXPECT_FALSE(inflate(bytes(kRaw), DeflateForm::zlib, 1000));
}

TEST(Deflate, fills_what_it_is_given_or_refuses) {
  for (const size_t size : {size_t{0}, kPlain.size() - 1, kPlain.size() + 1}) {
    std::vector<std::byte> out(size);
    EXPECT_FALSE(inflate_into(bytes(kRaw), DeflateForm::raw, out)) << size;
  }
}

TEST(Deflate, checksum_of_the_standard) {
  EXPECT_EQ(crc32(bytes("123456789")), 0xcbf43926u);  // the check value of CRC-32
  EXPECT_EQ(crc32(bytes("56789"), crc32(bytes("1234"))), 0xcbf43926u);
  EXPECT_EQ(crc32({}), 0u);
}

}  // namespace
}  // namespace maquette
