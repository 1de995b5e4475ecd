// What lists find, on SQLite and, where MAQUETTE_TEST_POSTGRESQL names a server, PostgreSQL: the indexes
// behind them follow every change. How quick they are: bench/studio.
#include "production/entities.h"
#include "production/file_store.h"
#include "production/jobs.h"
#include "production/references.h"
#include "production/shows.h"
#include "production/takes.h"
#include "production/tasks.h"
#include "production/test_show.h"

namespace maquette::production {
namespace {

const std::string kTask = "lanterns/sh020:background";
const std::string kPicture(64, 'a');
const std::string kThumbnail(64, 'b');

class ListsTest : public TestOnBoth {
 protected:
  ListsTest() {
    write([&](const Change& change) {
      show_ = create_show(change, {.code = "lanterns", .name = "Lanterns"});
      const db::Row show = find_show(*change, show_);
      for (const char* code : {"sh010", "sh020", "SH030"})
        create_entity(change, show, {.kind = "shot", .code = code, .name = std::string("The Pier ") + code});
      create_entity(change, show, {.kind = "asset", .code = "lamp", .asset_type = "prop"});
      create_task(change, find_entity(*change, "lanterns/sh020"), {.task_type = "background"});
      for (const std::string& file : {kPicture, kThumbnail})
        register_file(change, show_, file, 10, "image/png");
    });
  }

  // Files v001/t01, t02...
  void file(const std::string& origin, const std::string& model, const std::string& prompt = "red mesas") {
    write([&](const Change& change) {
      file_take(change, find_task(*change, kTask),
                {.origin = origin,
                 .sha256 = kPicture,
                 .thumbnail = kThumbnail,
                 .width = 4,
                 .height = 4,
                 .model = model,
                 .prompt = prompt});
    });
  }
  db::Row take(int number) {
    return find_take(*database_.connect(), fmt::format("{}/v001/t{:02}", kTask, number));
  }
  // The numbers of the takes found, newest first.
  std::vector<int> found(TakeQuery query) {
    query.show_id = show_;
    std::vector<int> numbers;
    for (const Json& item : takes(*database_.connect(), query).items) numbers.push_back(item["number"]);
    return numbers;
  }
  std::vector<std::string> shots(const EntityQuery& query) {
    std::vector<std::string> codes;
    for (const Json& item : entities(*database_.connect(), query).items) codes.push_back(item["code"]);
    return codes;
  }
  size_t on_board(BoardQuery query) {
    query.show_id = show_;
    const db::Lease c = database_.connect();
    const Board all = board(*c, query);
    // Page by page, and past the end, it is as many.
    query.page.limit = 1;
    size_t lines = 0;
    for (bool more = true; more;) {
      const Board one = board(*c, query);
      EXPECT_EQ(one.total, all.total);
      lines += one.page.items.size();
      query.page.after = one.page.next;
      more = !one.page.next.empty();
    }
    query.page.after = "~";
    EXPECT_EQ(board(*c, query).total, all.total);
    EXPECT_EQ(all.total, static_cast<int64_t>(lines));
    EXPECT_EQ(all.page.items.size(), lines);
    return lines;
  }
  std::string status(const char* code) {
    return find_type(*database_.connect(), "task_statuses", show_, code).text("id");
  }

  using Numbers = std::vector<int>;
  std::string show_;
};

TEST_P(ListsTest, TakesAreFoundByWhatTheyAreAndByWordsTogether) {
  file("generated", "starter");
  file("imported", "");
  file("generated", "Größe 1.5 & \"co\"", "green hills");
  file("composite", "starter", "green hills");
  EXPECT_EQ(found({.origin = "generated"}), Numbers({3, 1}));
  EXPECT_EQ(found({.model = "starter"}), Numbers({4, 1}));
  EXPECT_EQ(found({.model = "Größe 1.5 & \"co\""}), Numbers({3}));
  EXPECT_EQ(found({.model = "start"}), Numbers({})) << "a model is itself, not its beginning";
  EXPECT_EQ(found({.origin = "generated", .search = "gre hil"}), Numbers({3}));
  EXPECT_EQ(found({.origin = "composite", .model = "starter", .person_id = person_}), Numbers({4}));
  EXPECT_EQ(found({.person_id = new_uuid()}), Numbers({}));
  EXPECT_EQ(found({.task_id = take(1).text("task_id"), .origin = "generated"}), Numbers({3, 1}));
  EXPECT_EQ(found({.task_id = take(1).text("task_id"), .search = "mesas"}), Numbers({2, 1}));
  EXPECT_EQ(found({.search = "origingenerated"}), Numbers({})) << "nobody types what takes are";
  EXPECT_THROW(found({.origin = "painted"}), Error);
  EXPECT_THROW(found({.state = "lost"}), Error);
  EXPECT_THROW(found({.verdict = "fine"}), Error);
}

TEST_P(ListsTest, WhatIsFoundFollowsApprovalMarksNamesAndWithdrawal) {
  for (int i = 0; i < 3; ++i) file("generated", "starter");
  write([&](const Change& c) { approve_take(c, take(1), ""); });
  write([&](const Change& c) { mark_take(c, take(2), 4, "rejected"); });
  EXPECT_EQ(found({.state = "approved"}), Numbers({1}));
  EXPECT_EQ(found({.state = "proposed"}), Numbers({3, 2}));
  EXPECT_EQ(found({.verdict = "rejected"}), Numbers({2}));

  write([&](const Change& c) { approve_take(c, take(2), ""); });
  EXPECT_EQ(found({.state = "approved"}), Numbers({2}));
  EXPECT_EQ(found({.verdict = "rejected", .state = "approved"}), Numbers({2}));
  write([&](const Change& c) { unapprove(c, find_task(*c, kTask), ""); });
  EXPECT_EQ(found({.state = "approved"}), Numbers({}));
  write([&](const Change& c) { mark_take(c, take(2), {}, "validated"); });
  EXPECT_EQ(found({.verdict = "rejected"}), Numbers({}));
  EXPECT_EQ(found({.verdict = "validated"}), Numbers({2}));

  write([&](const Change& c) { withdraw_take(c, take(3), ""); });
  EXPECT_EQ(found({.state = "withdrawn"}), Numbers({3}));
  EXPECT_EQ(found({.model = "starter"}), Numbers({2, 1})) << "withdrawn takes are asked for by name";
  EXPECT_EQ(found({.model = "starter", .state = "all"}), Numbers({3, 2, 1}));
  write([&](const Change& c) { restore_take(c, take(3), ""); });
  EXPECT_EQ(found({.state = "withdrawn"}), Numbers({}));

  write([&](const Change& c) { rename_take(c, take(3), "Moonlit pier", {}); });
  EXPECT_EQ(found({.search = "moonl"}), Numbers({3}));
  write([&](const Change& c) { rename_take(c, take(3), "", {}); });
  EXPECT_EQ(found({.search = "moonl"}), Numbers({}));
}

TEST_P(ListsTest, AVeryLongPromptIsFiledAndFoundByItsBeginning) {
  std::string prompt = "harbour ";
  while (prompt.size() < 2'000'000) prompt += "éclairs ";
  file("generated", "starter", prompt);
  EXPECT_EQ(found({.search = "harb écl"}), Numbers({1}));
  EXPECT_EQ(take(1).text("prompt"), prompt);
}

TEST_P(ListsTest, ShotsAreFoundByAnyPartInAnyCaseAndTheBoardByItsTasks) {
  EXPECT_EQ(shots({.show_id = show_, .kind = "shot", .search = "sh0"}).size(), 3U);
  EXPECT_EQ(shots({.show_id = show_, .search = "pier sh020"}), std::vector<std::string>({"sh020"}));
  EXPECT_EQ(shots({.show_id = show_, .search = "Sh03"}), std::vector<std::string>({"SH030"}));
  EXPECT_EQ(shots({.show_id = show_, .search = "%"}).size(), 0U);
  EXPECT_EQ(shots({.show_id = show_, .asset_type = "prop"}), std::vector<std::string>({"lamp"}));
  write([&](const Change& c) {
    update_entity(c, find_entity(*c, "lanterns/sh010"), {.name = "The Lighthouse"});
  });
  EXPECT_EQ(shots({.show_id = show_, .search = "lighth"}), std::vector<std::string>({"sh010"}));
  EXPECT_EQ(shots({.show_id = show_, .search = "pier"}).size(), 2U);

  EXPECT_EQ(on_board({}), 3U);
  EXPECT_EQ(on_board({.status_id = status("todo")}), 1U);
  EXPECT_EQ(on_board({.status_id = status("done")}), 0U);
  write([&](const Change& c) {
    comment(c, find_task(*c, kTask), {.text = "", .status = "done", .may_set_any_status = true});
  });
  EXPECT_EQ(on_board({.status_id = status("todo")}), 0U);
  EXPECT_EQ(on_board({.status_id = status("done")}), 1U);
  EXPECT_EQ(on_board({.search = "sh010", .status_id = status("done")}), 0U);
  EXPECT_EQ(on_board({.search = "sh0"}), 3U);
  EXPECT_EQ(on_board({.search = "the pier"}), 2U);
  const std::string type = find_type(*database_.connect(), "task_types", show_, "background").text("id");
  EXPECT_EQ(on_board({.task_type_id = type}), 1U);
  EXPECT_EQ(on_board({.task_type_id = type, .status_id = status("done")}), 1U);
  EXPECT_EQ(on_board({.task_type_id = type, .status_id = status("todo")}), 0U);
}

TEST_P(ListsTest, TasksOfAPersonOrAShotStayInTheirShow) {
  std::string other, task;
  write([&](const Change& change) {
    other = create_show(change, {.code = "other", .name = "Other"});
    create_entity(change, find_show(*change, other), {.kind = "shot", .code = "sh020"});
    task = create_task(change, find_entity(*change, "other/sh020"),
                       {.task_type = "background", .assignees = {"mila"}});
  });
  const auto count = [&](const TaskQuery& query) { return tasks(*database_.connect(), query).items.size(); };
  const std::string shot = find_entity(*database_.connect(), "other/sh020").text("id");
  EXPECT_EQ(count({.show_id = other, .assignee_id = person_}), 1U);
  EXPECT_EQ(count({.show_id = show_, .assignee_id = person_}), 0U);
  EXPECT_EQ(count({.show_id = other, .assignee_id = person_, .entity_id = shot}), 1U);
  EXPECT_EQ(count({.show_id = show_, .entity_id = shot}), 0U);
  EXPECT_EQ(count({.show_id = other, .search = "H02"}), 1U);
}

TEST_P(ListsTest, EventsOfAKindComeFromAllItsActionsInOrder) {
  file("generated", "starter");
  write([&](const Change& c) { mark_take(c, take(1), 3, {}); });
  write([&](const Change& c) { approve_take(c, take(1), ""); });
  const auto asked = [&](provenance::EventQuery query) {
    std::vector<std::string> actions;
    for (const Json& event : provenance::events(*database_.connect(), query))
      actions.push_back(event["action"]);
    return actions;
  };
  const std::vector<std::string> all = {"take:approve", "take:mark", "take:new"};
  EXPECT_EQ(asked({.show_id = show_, .action = "take:"}), all);
  EXPECT_EQ(asked({.action = "take:"}), all);
  EXPECT_EQ(asked({.action = "take:", .limit = 2}), std::vector<std::string>(all.begin(), all.begin() + 2));
  EXPECT_EQ(asked({.action = "nothing:"}), std::vector<std::string>());
  EXPECT_EQ(asked({.action = "take:", .after = 0}), std::vector<std::string>(all.rbegin(), all.rend()));
}

TEST_P(ListsTest, PurgingKeepsWhatACanvasOrAnOpenJobUses) {
  file("generated", "starter");
  std::vector<std::string> freed;
  const auto purge = [&] {
    write([&](const Change& c) {
      withdraw_take(c, take(1), "");
      freed = purge_take(c, find_take(*c, kTask + "/v001/t01"), "");
      c.tx->execute("UPDATE takes SET purged_at = NULL");  // for the next attempt
    });
  };
  write([&](const Change& c) {
    c->insert("canvases", {{"task_id", find_task(*c, kTask).text("id")},
                           {"person_id", person_},
                           {"document", Json{{"layers", {{{"sha256", kPicture}}}}}.dump()},
                           {"updated_at", utc_now()}});
  });
  purge();
  EXPECT_TRUE(freed.empty());
  write([&](const Change& c) { c->execute("DELETE FROM canvases"); });
  std::string job;
  write([&](const Change& c) {
    job = queue_job(c, find_task(*c, kTask),
                    {.request = {{"recipe", {{"init", "sha256:" + kPicture}}}}, .model = "starter"});
  });
  purge();
  EXPECT_TRUE(freed.empty());
  write([&](const Change& c) { c->execute("DELETE FROM jobs"); });
  purge();
  EXPECT_EQ(freed, std::vector<std::string>({kPicture}));
}

INSTANTIATE_TEST_SUITE_P(Both, ListsTest, testing::ValuesIn(db::test_backends()), backend_name);

}  // namespace
}  // namespace maquette::production
