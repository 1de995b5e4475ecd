#include "base/identifiers.h"

#include <gtest/gtest.h>
#include <set>

#include "base/error.h"

namespace maquette {
namespace {

TEST(Identifiers, UuidsAreOfVersionSevenAndSort) {
  std::string last;
  std::set<std::string> all;
  for (int i = 0; i < 10000; ++i) {
    const std::string uuid = new_uuid();
    ASSERT_TRUE(is_uuid(uuid)) << uuid;
    EXPECT_EQ(uuid[14], '7');
    EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
    EXPECT_LT(last, uuid);
    all.insert(uuid);
    last = uuid;
  }
  EXPECT_EQ(all.size(), 10000U);
  EXPECT_FALSE(is_uuid("0192f0c1-7f3a-7000-8000-00000000000G"));
  EXPECT_FALSE(is_uuid("../../etc/passwd"));
}

TEST(Identifiers, Base64UrlIsThatOfTheStandard) {
  // RFC 4648, section 10, without padding; the last shows the two digits that differ from plain base64.
  EXPECT_EQ(base64url(""), "");
  EXPECT_EQ(base64url("f"), "Zg");
  EXPECT_EQ(base64url("fo"), "Zm8");
  EXPECT_EQ(base64url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64url("\xfb\xff"), "-_8");
}

TEST(Identifiers, TimesComeBack) {
  const std::string text = "2026-11-23T18:42:00.125Z";
  EXPECT_EQ(utc_text(parse_utc(text)), text);
  EXPECT_EQ(utc_text(parse_utc("2026-11-23T18:42:00Z")), "2026-11-23T18:42:00.000Z");
  EXPECT_EQ(utc_text(parse_utc("2024-02-29")), "2024-02-29T00:00:00.000Z");
  for (const char* wrong :
       {"", "yesterday", "2026-13-01", "2025-02-29", "2026-11-23T25:00:00Z", "2026-11-23T18:42:00Z; DROP"}) {
    EXPECT_THROW(parse_utc(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace maquette
