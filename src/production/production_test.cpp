// The rules of the production model, on SQLite and, where MAQUETTE_TEST_POSTGRESQL names a server,
// PostgreSQL.
#include <gtest/gtest.h>
#include <thread>

#include "base/file.h"
#include "base/identifiers.h"
#include "base/text.h"
#include "production/entities.h"
#include "production/file_store.h"
#include "production/jobs.h"
#include "production/path_template.h"
#include "production/permissions.h"
#include "production/references.h"
#include "production/review.h"
#include "production/shows.h"
#include "production/takes.h"
#include "production/tasks.h"
#include "production/test_show.h"

namespace maquette::production {
namespace {

class ProductionTest : public TestOnBoth {
 protected:
  ProductionTest() {
    write([&](const Change& change) {
      const std::string show = create_show(change, {.code = "lanterns", .name = "Lanterns"});
      const db::Row row = find_show(*change, show);
      create_entity(change, row, {.kind = "sequence", .code = "sq010"});
      create_entity(
          change, row,
          {.kind = "shot", .parent_id = find_entity(*change, "lanterns/sq010").text("id"), .code = "sh020"});
      create_task(change, find_entity(*change, "lanterns/sq010/sh020"),
                  {.task_type = "background", .brief = "dusk"});
      for (const char* file : {"a", "b"}) register_file(change, show, hash(file), 10, "image/png");
    });
  }

  static std::string hash(std::string_view letter) { return std::string(64, letter[0]); }

  db::Row task() { return find_task(*database_.connect(), "lanterns/sq010/sh020:background"); }
  db::Row take(std::string_view label) {
    return find_take(*database_.connect(), "lanterns/sq010/sh020:background/" + std::string(label));
  }
  std::string file(std::string_view prompt = "red mesas") {
    std::string id;
    write([&](const Change& change) {
      id = file_take(change, task(),
                     {.origin = "imported",
                      .sha256 = hash("a"),
                      .thumbnail = hash("b"),
                      .width = 4,
                      .height = 4,
                      .prompt = std::string(prompt)});
    });
    return id;
  }
  void say(const NewComment& said) {
    write([&](const Change& change) { comment(change, task(), said); });
  }
  int64_t event_count(std::string_view action) {
    return database_.connect()
        ->first("SELECT count(*) AS n FROM events WHERE action = :a", {{"a", std::string(action)}})
        ->integer("n");
  }
};

TEST_P(ProductionTest, CodesMakePathsAndAreUnique) {
  EXPECT_EQ(find_entity(*database_.connect(), "lanterns/sq010/sh020").text("kind"), "shot");
  const db::Row show = find_show(*database_.connect(), "lanterns");
  for (const char* code : {"", "../x", "a/b", ".hidden", "a b", "x."}) {
    EXPECT_THROW(write([&](const Change& c) { create_entity(c, show, {.kind = "sequence", .code = code}); }),
                 Error)
        << code;
  }
  EXPECT_THROW(write([&](const Change& c) { create_entity(c, show, {.kind = "sequence", .code = "sq010"}); }),
               Error);
  // A shot holds nothing.
  const std::string shot = find_entity(*database_.connect(), "lanterns/sq010/sh020").text("id");
  EXPECT_THROW(write([&](const Change& c) {
                 create_entity(c, show, {.kind = "shot", .parent_id = shot, .code = "sh1"});
               }),
               Error);
}

TEST_P(ProductionTest, AStatusChangesByACommentAndArtistsAreHeldToTheirs) {
  say({.text = "on it", .status = "wip"});
  EXPECT_EQ(task_document(*database_.connect(), task())["status"]["code"], "wip");
  EXPECT_FALSE(task().is_null("started_at"));
  EXPECT_THROW(say({.status = "done"}), Error);
  EXPECT_EQ(task_document(*database_.connect(), task())["status"]["code"], "wip");
  say({.status = "done", .may_set_any_status = true});
  EXPECT_FALSE(task().is_null("done_at"));
  EXPECT_THROW(say({.text = "  "}), Error);
  EXPECT_EQ(event_count("task:status-changed"), 2);
}

TEST_P(ProductionTest, ABackDatedCommentDoesNotRewind) {
  say({.status = "wfa", .may_set_any_status = true});
  say({.text = "was begun last week", .status = "wip", .said_at = "2020-01-01", .may_set_any_status = true});
  EXPECT_EQ(task_document(*database_.connect(), task())["status"]["code"], "wfa");
  EXPECT_EQ(comments(*database_.connect(), task().text("id"), {}).items[0]["text"], "was begun last week");
  EXPECT_THROW(say({.text = "tomorrow", .said_at = "2199-01-01"}), Error);
  EXPECT_THROW(say({.text = "tomorrow", .said_at = "2999-01-01"}), Error);
}

TEST_P(ProductionTest, RetakesAreCountedCappedAndBeginARevision) {
  file();
  write([&](const Change& c) { update_task(c, task(), {.max_retakes = 2}); });
  for (int i = 1; i <= 2; ++i) {
    say({.status = "retake", .may_set_any_status = true});
    EXPECT_EQ(task().integer("retake_count"), i);
    EXPECT_EQ(task().integer("revision"), 1 + i);
    say({.status = "wfa", .may_set_any_status = true});
  }
  EXPECT_THROW(say({.status = "retake", .may_set_any_status = true}), Error);
  EXPECT_EQ(task().integer("retake_count"), 2);
  // Saying "retake" twice is one retake.
  write([&](const Change& c) { update_task(c, task(), {.max_retakes = 0}); });
  say({.status = "retake", .may_set_any_status = true});
  say({.text = "and the sky", .status = "retake", .may_set_any_status = true});
  EXPECT_EQ(task().integer("retake_count"), 3);
}

TEST_P(ProductionTest, ManyFileAtOnceAndNoNumberIsUsedTwice) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) file();
    });
  }
  threads.clear();
  const Page page = takes(*database_.connect(), {.task_id = task().text("id"), .page = {.limit = 100}});
  ASSERT_EQ(page.items.size(), 20U);
  std::set<int64_t> numbers;
  for (const Json& item : page.items) numbers.insert(item["number"].get<int64_t>());
  EXPECT_EQ(numbers.size(), 20U);
  EXPECT_EQ(*numbers.rbegin(), 20);
  EXPECT_EQ(task().integer("take_count"), 20);
}

TEST_P(ProductionTest, ExactlyOneTakeIsApprovedAndItsHistoryStays) {
  file();
  file();
  write([&](const Change& c) { approve_take(c, take("v001/t01"), "calm"); });
  write([&](const Change& c) { approve_take(c, take("v001/t02"), "calmer"); });
  EXPECT_EQ(task().text("approved_take_id"), take("v001/t02").text("id"));
  EXPECT_EQ(takes(*database_.connect(), {.task_id = task().text("id"), .state = "approved"}).items.size(),
            1U);
  EXPECT_THROW(write([&](const Change& c) { withdraw_take(c, take("v001/t02"), ""); }), Error);
  write([&](const Change& c) { withdraw_take(c, take("v001/t01"), "no"); });
  EXPECT_THROW(write([&](const Change& c) { approve_take(c, take("v001/t01"), ""); }), Error);
  write([&](const Change& c) { unapprove(c, task(), "the cut changed"); });
  const auto history = approvals(*database_.connect(), task());
  ASSERT_EQ(history.size(), 3U);
  EXPECT_TRUE(history[2]["take_id"].is_null());
  EXPECT_EQ(history[1]["reason"], "calmer");
}

TEST_P(ProductionTest, PurgingFreesWhatNobodyElseNeedsAndKeepsTheRecord) {
  file();
  file();
  EXPECT_THROW(write([&](const Change& c) { purge_take(c, take("v001/t01"), ""); }), Error);
  std::vector<std::string> freed;
  write([&](const Change& c) {
    withdraw_take(c, take("v001/t01"), "");
    freed = purge_take(c, find_take(*c, "lanterns/sq010/sh020:background/v001/t01"), "disk full");
  });
  EXPECT_TRUE(freed.empty());  // the other take shows the same picture
  write([&](const Change& c) {
    withdraw_take(c, take("v001/t02"), "");
    freed = purge_take(c, find_take(*c, "lanterns/sq010/sh020:background/v001/t02"), "disk full");
  });
  EXPECT_EQ(freed, std::vector<std::string>{hash("a")});
  EXPECT_FALSE(take("v001/t02").is_null("purged_at"));
  EXPECT_EQ(event_count("take:purge"), 2);
  EXPECT_THROW(find_file(*database_.connect(), task().text("show_id"), hash("a")), Error);
}

TEST_P(ProductionTest, WordsFindTakesNewestFirst) {
  file("red mesas at dusk");
  file("green hills");
  file("Dusk over \"mesas\"; DROP TABLE takes; --");
  const std::string show = task().text("show_id");
  const auto found = [&](const std::string& words) {
    return takes(*database_.connect(), {.show_id = show, .search = words}).items;
  };
  EXPECT_EQ(found("mesas dus").size(), 2U);
  EXPECT_EQ(found("mesas dus")[0]["number"], 3);
  EXPECT_EQ(found("hills").size(), 1U);
  EXPECT_EQ(found("background").size(), 3U);
  EXPECT_TRUE(found("nowhere").empty());
  EXPECT_EQ(found("\" OR 1=1 '").size(), 0U);
  // Pages follow each other without gaps.
  const Page first = takes(*database_.connect(), {.show_id = show, .search = "mesas", .page = {.limit = 1}});
  const Page second = takes(*database_.connect(),
                            {.show_id = show, .search = "mesas", .page = {.after = first.next, .limit = 1}});
  EXPECT_EQ(first.items[0]["number"], 3);
  EXPECT_EQ(second.items[0]["number"], 1);
  EXPECT_TRUE(second.next.empty());
}

TEST_P(ProductionTest, LineageGoesBothWays) {
  const std::string a = file(), b = file();
  std::string c;
  write([&](const Change& change) {
    c = file_take(change, task(),
                  {.origin = "edited",
                   .sha256 = hash("a"),
                   .thumbnail = hash("b"),
                   .width = 4,
                   .height = 4,
                   .parents = {{b, "source"}, {a, "mask"}}});
  });
  EXPECT_EQ(lineage(*database_.connect(), take("v001/t03"), "")["takes"].size(), 3U);
  EXPECT_EQ(lineage(*database_.connect(), take("v001/t01"), "")["edges"].size(), 1U);
}

TEST_P(ProductionTest, StaleVersionsAreRefused) {
  const db::Row before = task();
  write([&](const Change& c) {
    update_task(c, task(), {.brief = "night", .seen_version = before.integer("version")});
  });
  try {
    write([&](const Change& c) {
      update_task(c, task(), {.brief = "noon", .seen_version = before.integer("version")});
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::conflict);
  }
  EXPECT_EQ(task().text("brief"), "night");
}

TEST_P(ProductionTest, JobsAreTakenInTheirOrderByOneRunner) {
  const auto queue = [&](JobKind kind, const std::string& model) {
    std::string id;
    write([&](const Change& c) {
      id = queue_job(c, task(), {.kind = kind, .request = {{"recipe", Json::object()}}, .model = model});
    });
    return id;
  };
  const std::string final_a = queue(JobKind::generate, "a");
  const std::string final_b = queue(JobKind::generate, "b");
  const std::string retake = queue(JobKind::retake, "b");
  const std::string preview = queue(JobKind::preview, "a");
  EXPECT_EQ(job_document(*database_.connect(), find_job(*database_.connect(), final_b))["position"], 4);
  const Lease lease{.runner = "one", .length = std::chrono::seconds(30)};
  EXPECT_EQ(claim_job(database_, lease, "")->text("id"), preview);
  EXPECT_EQ(claim_job(database_, lease, "a")->text("id"), retake);
  EXPECT_EQ(claim_job(database_, lease, "b")->text("id"), final_b);  // the model that is loaded goes on
  EXPECT_EQ(claim_job(database_, lease, "b")->text("id"), final_a);
  EXPECT_FALSE(claim_job(database_, lease, "b"));
  EXPECT_TRUE(renew_lease(database_, final_a, lease, 500));
  EXPECT_FALSE(renew_lease(database_, final_a, {.runner = "two"}, 500));
}

TEST_P(ProductionTest, ALostRunnersJobIsQueuedAgain) {
  std::string id;
  write([&](const Change& c) {
    id = queue_job(c, task(), {.request = {{"recipe", Json::object()}}, .model = "a"});
  });
  claim_job(database_, {.runner = "dies", .length = std::chrono::seconds(-1)}, "");
  EXPECT_EQ(requeue_lost_jobs(database_), 1);
  EXPECT_EQ(find_job(*database_.connect(), id).text("state"), "queued");
  claim_job(database_, {.runner = "works"}, "");
  EXPECT_EQ(requeue_lost_jobs(database_), 0);
  write([&](const Change& c) { cancel_job(c, find_job(*c, id)); });
  EXPECT_FALSE(renew_lease(database_, id, {.runner = "works"}, 0));
}

TEST_P(ProductionTest, AQuotaHoldsARoleBack) {
  EXPECT_THROW(write([&](const Change& c) {
                 queue_job(c, task(), {.request = {{"recipe", Json::object()}}, .model = "a", .count = 60});
                 queue_job(c, task(), {.request = {{"recipe", Json::object()}}, .model = "a", .count = 60});
               }),
               Error);
}

TEST_P(ProductionTest, DrawingsAreCheckedAndKept) {
  file();
  const Json drawing = {
      {{"kind", "path"}, {"points", {{0.1, 0.1}, {1.2, -0.3}}}, {"color", "#ff0000"}, {"width", 0.01}}};
  write([&](const Change& c) {
    annotate(c, take("v001/t01"),
             {.canvas_width = 100, .canvas_height = 50, .drawing = drawing, .note = "here"});
  });
  EXPECT_EQ(annotations(*database_.connect(), take("v001/t01"))[0]["drawing"], drawing);
  for (const char* wrong :
       {"{}", "[1]", R"([{"kind": "virus", "points": [[0, 0]]}])", R"([{"kind": "path", "points": []}])",
        R"([{"kind": "path", "points": [[1e9, 0]]}])"}) {
    EXPECT_THROW(require_drawing(Json::parse(wrong)), Error) << wrong;
  }
}

INSTANTIATE_TEST_SUITE_P(Both, ProductionTest, testing::ValuesIn(db::test_backends()), backend_name);

TEST(Permissions, OnlyTheArtDirectorApproves) {
  for (const Role role : all_roles())
    EXPECT_EQ(may(role, Action::take_approve), role == Role::art_director) << name(role);
  EXPECT_FALSE(may(Role::auditor, Action::take_generate));
  EXPECT_FALSE(may(Role::artist, Action::person_edit));
  const Caller caller{.roles = {{"show-a", {Role::art_director}}, {"", {Role::artist}}}};
  EXPECT_TRUE(caller.role_for(Action::take_approve, "show-a"));
  EXPECT_FALSE(caller.role_for(Action::take_approve, "show-b"));
  EXPECT_EQ(caller.role_for(Action::take_generate, "show-b"), Role::artist);
  const Caller token{.roles = caller.roles, .scope = {Action::show_read}};
  EXPECT_FALSE(token.role_for(Action::take_generate, "show-a"));
  for (const Action action : all_actions()) EXPECT_EQ(action_named(name(action)), action);
}

// docs/permissions.md says what the table says, line by line.
TEST(Permissions, AreDocumented) {
  const std::string page = read_text_file("docs/permissions.md").take();
  for (const Action action : all_actions()) {
    const size_t line = page.find(fmt::format("\n| `{}` |", name(action)));
    ASSERT_NE(line, page.npos) << name(action);
    const std::vector<std::string> cells =
        split(page.substr(line + 1, page.find('\n', line + 1) - line - 1), '|');
    ASSERT_EQ(cells.size(), 2 + 2 + all_roles().size()) << name(action);
    EXPECT_FALSE(trim(cells[2]).empty()) << name(action);
    for (size_t i = 0; i < all_roles().size(); ++i)
      EXPECT_EQ(trim(cells[3 + i]) == "x", may(all_roles()[i], action))
          << name(action) << " " << name(all_roles()[i]);
  }
  std::string heads = "| action | what it is |";
  for (const Role role : all_roles()) heads += fmt::format(" {} |", name(role));
  EXPECT_NE(page.find(heads), page.npos);
  // Quotas, as the page tells them.
  EXPECT_EQ(quota(Json::object(), Role::artist), 64);
  EXPECT_EQ(quota(Json::object(), Role::trainer), 32);
  EXPECT_EQ(quota(Json::object(), Role::technician), 256);
  EXPECT_EQ(quota(Json::object(), Role::auditor), 0);
}

TEST(PathTemplate, MakesNamesAndRefusesUnsafeOnes) {
  const NameFields fields{.texts = {{"show", "lanterns"},
                                    {"sequence", ""},
                                    {"shot", "sh020"},
                                    {"task", "background"},
                                    {"name", "a/b"}},
                          .numbers = {{"version", 3}, {"take", 12}}};
  EXPECT_EQ(file_name("{show}_{sequence}_{shot}_{task}_v{version:03}", fields),
            "lanterns_sh020_background_v003");
  EXPECT_EQ(file_name("{shot}-t{take}", fields), "sh020-t12");
  for (const char* wrong : {"{shot", "{nothing}", "../{shot}", "{name}", "", "{version:99}"})
    EXPECT_THROW(file_name(wrong, fields), Error) << wrong;
}

}  // namespace
}  // namespace maquette::production
