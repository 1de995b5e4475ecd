#include "app/studio/naming.h"

#include <gtest/gtest.h>

#include "base/identifiers.h"
#include "db/test_database.h"
#include "production/entities.h"
#include "production/references.h"
#include "production/shows.h"
#include "production/tasks.h"

namespace maquette::app {
namespace {

using production::Change;

// A show of two episodes with the same sequence and shot codes in both, and two assets.
class TaskNamesTest : public testing::Test {
 protected:
  void SetUp() override {
    db::Transaction tx(database_.database());
    const std::string person = new_uuid();
    tx->insert("people", {{"id", person}, {"login", "p"}, {"name", "P"}, {"created_at", utc_now()}});
    const Change change{tx, {person, "program"}};
    show_ = production::create_show(
        change,
        {.code = "lanterns",
         .name = "L",
         .settings = {{"path_template", "{show}-{episode}{sequence}_{shot}_{asset}_{task}.{version:03}"}}});
    const auto entity = [&](const std::string& kind, const std::string& code, const std::string& parent) {
      return production::create_entity(
          change, production::find_show(*tx, show_),
          {.kind = kind, .parent_id = parent, .code = code, .asset_type = kind == "asset" ? "prop" : ""});
    };
    for (const char* episode : {"ep01", "ep02"}) {
      const std::string sequence = entity("sequence", "sq010", entity("episode", episode, ""));
      for (const char* shot : {"sh010", "sh020"})
        add_tasks(change, entity("shot", shot, sequence), {"background", "layout"});
    }
    add_tasks(change, entity("asset", "red_door", ""), {"texture"});
    add_tasks(change, entity("asset", "door", ""), {"texture", "concept"});
    tx.commit();
  }

  static void add_tasks(const Change& change, const std::string& entity,
                        const std::vector<const char*>& types) {
    for (const char* type : types)
      production::create_task(change, production::find_entity(*change, entity), {.task_type = type});
  }

  std::string found(std::string_view name) {
    const db::Lease c = database_.database().connect();
    const TaskNames::Found found = TaskNames(*c, production::find_show(*c, show_)).find(name);
    return found.task_id.empty() ? found.why : found.reference;
  }

  db::TestDatabase database_{db::Backend::sqlite};
  std::string show_;
};

TEST_F(TaskNamesTest, are_found_by_the_template_with_any_version) {
  EXPECT_EQ(found("lanterns-ep01sq010_sh020_background.017.png"), "lanterns/ep01/sq010/sh020:background");
  EXPECT_EQ(found("anywhere/LANTERNS-EP02SQ010_SH010_LAYOUT.002.tif"), "lanterns/ep02/sq010/sh010:layout");
  EXPECT_EQ(found("lanterns-_red_door_texture.001.exr"), "lanterns/red_door:texture");
}

TEST_F(TaskNamesTest, are_found_by_codes_in_names_and_folders) {
  EXPECT_EQ(found("ep01_sq010_sh020_bg_v003.png"), "lanterns/ep01/sq010/sh020:background");
  EXPECT_EQ(found("ep02/sq010/sh010/layout final.jpg"), "lanterns/ep02/sq010/sh010:layout");
  EXPECT_EQ(found("EP02SQ010SH010-LO.png"), "lanterns/ep02/sq010/sh010:layout");
}

TEST_F(TaskNamesTest, prefer_the_longer_code_and_the_only_task) {
  EXPECT_EQ(found("red-door v2.png"), "lanterns/red_door:texture");
  EXPECT_EQ(found("door_tex.png"), "lanterns/door:texture");
}

TEST_F(TaskNamesTest, are_not_guessed) {
  EXPECT_NE(found("sh020_bg.png")
                .find("several tasks could be meant: lanterns/ep01/sq010/sh020:background, "
                      "lanterns/ep02/sq010/sh020:background"),
            std::string::npos);
  EXPECT_NE(found("ep01_sq010_sh020_v003.png").find("several tasks"), std::string::npos);
  EXPECT_NE(found("red_door_paint.png").find("another task than there is"), std::string::npos);
  EXPECT_NE(found("sh0200_bg.png").find("holds the code of no shot"), std::string::npos);
  EXPECT_NE(found("....png").find("holds the code of no shot"), std::string::npos);
}

}  // namespace
}  // namespace maquette::app
