// Changes that say which version they are made on, cursors of lists, names that nobody knows, and how often
// one may guess.
#include <gtest/gtest.h>
#include <thread>

#include "app/studio/answers.h"
#include "server/test_story.h"

namespace maquette::server {
namespace {

using app::Operation;
using production::Role;

class Versions : public testing::TestWithParam<db::Backend> {
 protected:
  Story story_{GetParam()};
  Client& root() { return story_.root(); }

  Answer ask_if(std::string_view operation, const std::string& tag, const Json& changed = Json::object()) {
    return story_.ask(root(), operation, changed, "", "If-Match: " + tag + "\r\n");
  }
};

INSTANTIATE_TEST_SUITE_P(Databases, Versions, testing::ValuesIn(db::test_backends()), [](const auto& each) {
  return each.param == db::Backend::sqlite ? "sqlite" : "postgresql";
});

TEST_P(Versions, StaleOnesAreRefusedEverywhere) {
  for (const Operation& operation : app::operations()) {
    if (operation.method == "GET") continue;
    const bool matches = app::answer_of(operation).matches;
    EXPECT_EQ(ask_if(operation.name, "\"999999\"").status, matches ? 412 : 400) << operation.name;
    EXPECT_EQ(ask_if(operation.name, "W/\"1\"").status, matches ? 412 : 400) << operation.name;
    EXPECT_EQ(ask_if(operation.name, "1").status, 400) << operation.name << ": no quotation marks";
    EXPECT_EQ(ask_if(operation.name, "\"1e3\"").status, 400) << operation.name;
  }
}

TEST_P(Versions, OfADocumentAreForgottenWithTheNextChange) {
  struct Resource {
    std::string_view read, change;
    Json first, second;
  };
  const Resource resources[] = {
      {"show info", "show update", {{"name", "a"}}, {{"name", "b"}}},
      {"entity info", "entity update", {{"brief", "a"}}, {{"brief", "b"}}},
      {"task info", "task update", {{"brief", "a"}}, {{"brief", "b"}}},
      {"task info", "task reference-add", {{"name", "a"}}, {{"name", "b"}}},
      {"task info", "comment create", {{"text", "a"}, {"status", "wip"}}, {{"text", "b"}}},
      {"take info", "take rename", {{"title", "a"}}, {{"title", "b"}}},
      {"playlist info", "playlist update", {{"name", "a"}}, {{"name", "b"}}},
      {"job info", "job priority", {{"priority", 10}}, {{"priority", 20}}},
      {"user info", "user update", {{"name", "a"}}, {{"name", "b"}}},
      {"user info", "role give", {{"role", "auditor"}}, {{"role", "trainer"}}},
      {"me info", "me update", {{"name", "a"}}, {{"name", "b"}}},
      {"model limits", "model limit", {{"artist", {"starter"}}}, {{"artist", {"x"}}}},
      {"cast list", "cast set", {{"count", 5}}, {{"count", 6}}},
      {"canvas show", "canvas save", {{"document", {{"a", 1}}}}, {{"document", {{"a", 2}}}}},
  };
  for (const auto& [read, change, first, second] : resources) {
    const std::string tag = story_.ask(root(), read).header("etag");
    ASSERT_FALSE(tag.empty()) << read;
    const Answer changed = ask_if(change, tag, first);
    EXPECT_EQ(changed.status / 100, 2) << change << " " << changed.body;
    EXPECT_NE(changed.header("etag"), tag) << change;
    EXPECT_EQ(ask_if(change, tag, second).status, 412) << change;
    EXPECT_EQ(ask_if(change, story_.ask(root(), read).header("etag"), second).status / 100, 2) << change;
  }
  const Json status = story_.ask(root(), "status list").json()["items"][2];
  const std::string tag = fmt::format("\"{}\"", status["version"].get<int64_t>());
  EXPECT_EQ(ask_if("status update", tag, {{"status", status["id"]}}).status, 200);
  EXPECT_EQ(ask_if("status update", tag, {{"status", status["id"]}}).status, 412);
}

TEST_P(Versions, OnlyOneOfManyAtOnceWins) {
  const std::string tag = story_.ask(root(), "task info").header("etag");
  std::atomic<int> done = 0, stale = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i, client = root()]() mutable {
      const int status = story_
                             .ask(client, "task update", {{"brief", fmt::format("version {}", i)}}, "",
                                  "If-Match: " + tag + "\r\n")
                             .status;
      done += status == 200;
      stale += status == 412;
    });
  }
  threads.clear();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(stale, 7);
}

// --- lists ---

TEST_P(Versions, CursorsAreTakenAsTheyWereGiven) {
  for (int i = 0; i < 4; ++i) {
    story_.make("asset create", {{"code", fmt::format("a{}", i)}, {"asset_type", "prop"}});
    story_.make("comment create", {{"text", fmt::format("comment {}", i)}});
    story_.make("playlist create", Json::object());
    story_.make("job create", Json::object());
    story_.make("task create", {{"entity", fmt::format("lanterns/a{}", i)}});
    story_.make("shot create", {{"code", fmt::format("sh{}", i)}});
    story_.make("sequence create", {{"code", fmt::format("sq{}", i)}});
    story_.make("episode create", {{"code", fmt::format("ep{}", i)}});
    story_.make("dataset add", {{"name", fmt::format("photos {}", i)}});
    story_.make("name add", {{"name", fmt::format("Maler {}", std::string(1, static_cast<char>('a' + i)))}});
    story_.make("notice add", Json::object());
    story_.make("consent add", Json::object());
    story_.make("clearance add", Json::object());
  }
  std::string other = "1~00000000";
  for (const Operation& operation : app::operations()) {
    if (std::ranges::find(operation.parameters, "after", &app::Parameter::name) == operation.parameters.end())
      continue;
    const auto page = [&](const Json& changed) { return story_.ask(root(), operation.name, changed); };
    std::set<std::string> seen;
    std::string next, last;
    size_t count = 0;
    do {
      const Answer answer = page(next.empty() ? Json{{"limit", 1}} : Json{{"limit", 1}, {"after", next}});
      ASSERT_EQ(answer.status, 200) << operation.name << answer.body;
      for (const Json& item : items_of(answer))
        EXPECT_TRUE(seen.insert(item.dump()).second) << operation.name;
      next = answer.json()["next"].is_null() ? "" : answer.json()["next"].get<std::string>();
      ++count;
      if (next.empty() || count > 2) continue;
      std::string changed = next;
      changed.front() = changed.front() == 'b' ? 'c' : 'b';
      for (const std::string& wrong :
           {changed, next + "0", next.substr(1), next.substr(0, next.size() - 1), other,
            next.substr(0, next.rfind('~')), std::string("5"), std::string("~"), std::string("' OR 1=1 --")})
        EXPECT_EQ(page({{"limit", 1}, {"after", wrong}}).status, 400) << operation.name << " " << wrong;
      last = next;
    } while (!next.empty() && count < 200);
    other = last;
    EXPECT_EQ(count, seen.size()) << operation.name;
    EXPECT_GE(count, 2u) << operation.name;
    EXPECT_EQ(page({{"limit", 0}}).status, 400) << operation.name;
    EXPECT_EQ(page({{"limit", 501}}).status, 400) << operation.name;
  }
}

TEST_P(Versions, TheBoardJumps) {
  for (int i = 0; i < 9; ++i) story_.make("shot create", {{"code", fmt::format("sh{:03}", 100 + i)}});
  const auto paths = [&](const Json& changed) {
    const Json board = story_.ask(root(), "board", changed).json();
    std::vector<std::string> list;
    for (const Json& line : board["items"]) list.push_back(line["entity"]["path"]);
    EXPECT_EQ(board["total"], 10);
    return list;
  };
  const std::vector<std::string> all = paths(Json::object());
  ASSERT_EQ(all.size(), 10u);
  EXPECT_EQ(paths({{"offset", 4}, {"limit", 3}}), std::vector(all.begin() + 4, all.begin() + 7));
  EXPECT_EQ(paths({{"offset", 9}}), std::vector(all.begin() + 9, all.end()));
  EXPECT_TRUE(paths({{"offset", 10}}).empty());
  EXPECT_EQ(story_.ask(root(), "board", {{"offset", 4}}).json()["offset"], 4);
  EXPECT_EQ(story_.ask(root(), "board", {{"offset", -1}}).status, 400);
}

// --- names ---

TEST_P(Versions, UnknownNamesAreRefusedWithWhatWasMeant) {
  for (const Operation& operation : app::operations()) {
    const Answer answer = story_.ask(root(), operation.name, {{"no_such_name", "x"}});
    EXPECT_EQ(answer.status, 400) << operation.name << " " << answer.body;
  }
  const auto hint = [&](std::string_view operation, const Json& changed) {
    return story_.ask(root(), operation, changed).json()["error"]["hint"].get<std::string>();
  };
  EXPECT_EQ(hint("task update", {{"breif", "x"}}), "did you mean \"brief\"?");
  EXPECT_EQ(hint("task list", {{"asignee", "x"}}), "did you mean \"assignee\"?");
  EXPECT_EQ(hint("show update", {{"settings", {{"max_retake", 3}}}}), "did you mean \"max_retakes\"?");
  Client nobody = story_.studio().client();
  const Answer sign_in = nobody.post("/api/v1/sessions", {{"login", "root"}, {"pasword", "x"}});
  EXPECT_EQ(sign_in.status, 400);
  EXPECT_EQ(sign_in.json()["error"]["hint"], "did you mean \"password\"?");
}

TEST_P(Versions, NullIsAsGoodAsNothing) {
  story_.make("take mark", {{"stars", 3}, {"verdict", "rejected"}});
  const Json nulls = story_.make("take mark", {{"stars", nullptr}, {"verdict", nullptr}})["marks"]["mine"];
  EXPECT_EQ(nulls, (Json{{"stars", 3}, {"verdict", "rejected"}}));
  const Json one = story_.make("take mark", {{"stars", 5}, {"verdict", nullptr}})["marks"]["mine"];
  EXPECT_EQ(one, (Json{{"stars", 5}, {"verdict", "rejected"}}));
  const Json none = story_.make("take mark", {{"stars", 0}, {"verdict", "neutral"}})["marks"];
  EXPECT_TRUE(none["stars"].is_null());
  EXPECT_EQ(none["rejected"], 0);
  // Of a setting: as if nothing had been said.
  story_.make("show update", {{"settings", {{"max_retakes", 3}, {"quotas", {{"artist", 5}}}}}});
  const Json settings = story_.make(
      "show update",
      {{"settings",
        {{"max_retakes", nullptr}, {"quotas", {{"artist", nullptr}, {"trainer", 2}}}}}})["settings"];
  EXPECT_EQ(settings["max_retakes"], 0);
  EXPECT_EQ(settings["quotas"], (Json{{"trainer", 2}}));
}

// Where files lie is not for the network to say.
TEST_P(Versions, FoldersOutsideOfTheStudioAreForItsOwner) {
  for (const char* root_folder : {"/tmp/elsewhere", "../elsewhere", "shows/../../elsewhere", "spool", "shows",
                                  "shows/.hidden", "backups/x", "shows/a/../../b"}) {
    for (const char* operation : {"show create", "show update"}) {
      const Answer answer = story_.ask(root(), operation, {{"root", root_folder}});
      EXPECT_TRUE(answer.status == 403 || answer.status == 400) << root_folder << " " << answer.body;
    }
  }
  EXPECT_EQ(story_.ask(root(), "show update", {{"settings", {{"color_config", "/etc/passwd"}}}}).status, 403);
  for (const char* path_template : {"../{show}", "{nothing}", "/tmp/{show}", "a/b", "{show", ".{show}", ""})
    EXPECT_EQ(story_.ask(root(), "show update", {{"settings", {{"path_template", path_template}}}}).status,
              400)
        << path_template;
  EXPECT_EQ(story_.ask(root(), "show create", {{"code", "inside"}, {"root", "shows/project-7"}}).status, 201);
}

// --- guessing ---

TEST_P(Versions, TokensCannotBeGuessed) {
  Client guesser = story_.studio().client();
  std::map<int, int> answers;
  for (int i = 0; i < 105; ++i) {
    guesser.bearer = fmt::format("mqt_guess{}", i);
    ++answers[guesser.get("/api/v1/me").status];
  }
  EXPECT_EQ(answers[401], 100);
  EXPECT_EQ(answers[429], 5);
  Client good = story_.studio().client();
  good.bearer = story_.ask(root(), "token create").json()["token"];
  const Answer refused = good.get("/api/v1/me");
  EXPECT_EQ(refused.status, 429) << "a hit must look like a miss";
  EXPECT_GT(std::stoi(refused.header("retry-after")), 60);
  EXPECT_EQ(story_.ask(root(), "me info").status, 200) << "sessions go on";
  EXPECT_NO_THROW(story_.studio().signed_in("somebody")) << "and people sign in";
  EXPECT_EQ(story_.studio().signed_in("somebody").get("/api/v1/me").status, 200);
}

}  // namespace
}  // namespace maquette::server
