#include "rights/licences.h"

#include <gtest/gtest.h>
#include <set>

#include "base/error.h"

namespace maquette::rights {
namespace {

TEST(Licences, EachIsFoundByItsIdAndSaysWhereItsFactsAreFrom) {
  std::set<std::string_view> ids;
  for (const Licence& licence : licences()) {
    EXPECT_TRUE(ids.insert(licence.id).second) << licence.id;
    EXPECT_EQ(find_licence(licence.id), &licence);
    EXPECT_FALSE(licence.title.empty() || licence.source.empty() || licence.outputs.empty()) << licence.id;
  }
}

TEST(Licences, TheFactsThatProductionsHangOn) {
  EXPECT_EQ(find_licence("Apache-2.0")->commercial, Answer::yes);
  EXPECT_EQ(find_licence("CC-BY-NC-4.0")->commercial, Answer::no);
  EXPECT_EQ(find_licence("LicenseRef-scancode-flux-1-nc")->commercial, Answer::no);
  EXPECT_EQ(find_licence("LicenseRef-scancode-stability-ai-nc-2023-12-06")->commercial, Answer::no);
  EXPECT_EQ(find_licence("LicenseRef-scancode-stability-ai-community-2024")->revenue_cap_usd, 1'000'000);
  EXPECT_FALSE(find_licence("LicenseRef-scancode-stable-diffusion-2022-08-22")->restrictions.empty());
  EXPECT_EQ(find_licence("LicenseRef-maquette-contract")->commercial, Answer::unknown);
}

TEST(Licences, NamesThatFilesUse) {
  EXPECT_EQ(find_licence(" apache-2.0 ")->id, "Apache-2.0");
  EXPECT_EQ(find_licence("CreativeML Open RAIL++-M License")->id,
            "LicenseRef-maquette-open-rail-plus-plus-m");
  EXPECT_EQ(find_licence("openrail++")->id, "LicenseRef-maquette-open-rail-plus-plus-m");
}

TEST(Licences, NothingIsGuessed) {
  for (const std::string_view text : {"", "other", "Apache", "openrail", "free for everything"})
    EXPECT_EQ(find_licence(text), nullptr) << text;
}

TEST(Territories, MeetWhereOneLiesInTheOther) {
  EXPECT_TRUE(territories_meet("FR", "EU"));
  EXPECT_TRUE(territories_meet("EU", "FR"));
  EXPECT_TRUE(territories_meet("WORLD", "KR"));
  EXPECT_TRUE(territories_meet("GB", "GB"));
  EXPECT_FALSE(territories_meet("GB", "EU"));
  EXPECT_FALSE(territories_meet("US", "KR"));
  for (const std::string_view wrong : {"", "fr", "France", "E"})
    EXPECT_THROW(require_territory(wrong), Error);
}

}  // namespace
}  // namespace maquette::rights
