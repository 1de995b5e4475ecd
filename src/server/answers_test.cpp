// Every operation answers with what the OpenAPI document says that it answers: the client of these tests
// holds each answer against its schema (schema_check.h), here are all of them at least once.
#include <fstream>
#include <gtest/gtest.h>
#include <set>

#include "base/file.h"
#include "server/openapi.h"
#include "server/test_story.h"

namespace maquette::server {
namespace {

using app::Operation;

// A checker that finds nothing would pass everything.
TEST(SchemaCheck, FindsWhatIsWrong) {
  const Json document = openapi_document();
  const SchemaCheck check(document);
  const Json& schema = document["components"]["schemas"]["casting"];
  Json entity = {{"id", "019a1f0c-7f6e-7000-8000-000000000000"},
                 {"show_id", "019a1f0c-7f6e-7000-8000-000000000000"},
                 {"parent_id", nullptr},
                 {"kind", "shot"},
                 {"asset_type", ""},
                 {"code", "sh020"},
                 {"path", "sh020"},
                 {"name", ""},
                 {"brief", ""},
                 {"status", "running"},
                 {"data", Json::object()},
                 {"thumbnail", nullptr},
                 {"created_at", "2026-11-23T18:42:00.123Z"},
                 {"version", 1}};
  const auto problem = [&] {
    return check.problem(schema, {{"entity", entity}, {"count", 1}, {"label", ""}});
  };
  EXPECT_EQ(problem(), "");
  EXPECT_NE(check.problem(schema, Json::array()), "");
  EXPECT_NE(check.problem(schema, {{"entity", entity}, {"count", 1.5}, {"label", ""}}), "");
  EXPECT_NE(check.problem(schema, {{"entity", entity}, {"count", 1}}), "");
  EXPECT_NE(check.problem({{"maximum", 5}}, 3), "") << "a keyword that nobody checks";
  for (const auto& [name, wrong] : {std::pair<const char*, Json>{"kind", "prop"},
                                    {"id", "x"},
                                    {"thumbnail", "abc"},
                                    {"version", "1"},
                                    {"created_at", "today"},
                                    {"more", 1}}) {
    const Json before = entity;
    entity[name] = wrong;
    EXPECT_NE(problem(), "") << name;
    entity = before;
  }
  EXPECT_NE(problem_of({.method = "GET", .path = "/shows", .status = 200, .body = Json::object()}), "");
  EXPECT_NE(problem_of({.method = "GET", .path = "/shows", .status = 418}), "");
}

TEST(OpenApi, NamesEveryDocumentAndEveryError) {
  const Json document = openapi_document();
  for (const Operation& operation : app::operations()) {
    EXPECT_NO_THROW(app::answer_of(operation)) << operation.name << ": say in answers.cpp what it answers";
    const Json& responses =
        document["paths"][std::string(operation.path)][lower_ascii(operation.method)]["responses"];
    for (const char* status : {"400", "401", "403", "404", "429", "500"})
      EXPECT_TRUE(responses.contains(status)) << operation.name << " " << status;
    EXPECT_EQ(responses.contains("412"), app::answer_of(operation).matches) << operation.name;
  }
  // Whatever is referred to is there, and whatever is there is referred to.
  std::set<std::string> meant;
  const std::function<void(const Json&)> walk = [&](const Json& node) {
    if (node.is_object() && node.contains("$ref")) meant.insert(node["$ref"].get<std::string>().substr(1));
    if (node.is_structured()) {
      for (const Json& each : node) walk(each);
    }
  };
  walk(document);
  for (const std::string& reference : meant)
    EXPECT_TRUE(document.contains(Json::json_pointer(reference))) << reference;
  for (const auto& [name, schema] : document["components"]["schemas"].items())
    EXPECT_TRUE(meant.contains("/components/schemas/" + name)) << name << " is nobody's answer";
}

// For tools/check_api.
TEST(OpenApi, IsWrittenDown) {
  write_file_atomically(std::filesystem::path(MAQUETTE_BINARY_DIR) / "openapi.json",
                        openapi_document().dump(2) + "\n");
}

class Answers : public testing::TestWithParam<db::Backend> {
 protected:
  Story story_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Databases, Answers, testing::ValuesIn(db::test_backends()), [](const auto& each) {
  return each.param == db::Backend::sqlite ? "sqlite" : "postgresql";
});

struct Step {
  std::string_view operation;
  Json changed = Json::object();
  std::string file = {};
};

// In an order in which all of them can be done.
std::vector<Step> story_of_all(bool sqlite) {
  const std::string t02 = "lanterns/sq010/sh020:background/v001/t02";
  const std::string parameters =
      "dusk over the harbour\nNegative prompt: people\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 7, "
      "Size: 8x8";
  const std::string with_recipe =
      png(8, 8, 9, png_chunk("tEXt", std::string("parameters\0", 11) + parameters));
  std::vector<Step> steps;
  const std::set<std::string_view> later = {
      "job retry",      "take approve",         "take recipe",    "take withdraw",
      "take restore",   "take purge",           "deliver",        "delivery list",
      "delivery file",  "delivery archive",     "task unapprove", "annotation remove",
      "playlist sheet", "me password",          "link revoke",    "token revoke",
      "role withdraw",  "take file-add",        "backup",         "job preview",
      "cast remove",    "task reference-remove"};
  for (const Operation& operation : app::operations()) {
    if (!later.contains(operation.name)) steps.push_back({.operation = operation.name});
  }
  const std::vector<Step> rest = {
      {"take import", Json::object(), with_recipe},
      {"take recipe", {{"take", "lanterns/sq010/sh020:background/v001/t04"}}},
      {"take approve"},
      {"deliver", {{"formats", {"png16"}}, {"name", "reel1"}}},
      {"delivery list"},
      {"delivery file"},
      {"delivery archive"},
      {"task unapprove"},
      {"take withdraw", {{"take", t02}}},
      {"take restore", {{"take", t02}}},
      {"take withdraw", {{"take", t02}}},
      {"take purge", {{"take", t02}, {"reason", "disk full"}}},
      {"take diff"},
      {"doctor", {{"show", "lanterns"}}},
      {"annotation list"},
      {"playlist sheet"},
      {"playlist sheet", {{"format", "png"}}},
      {"annotation remove"},
      {"comment list"},
      {"approval list"},
      {"event list", {{"show", "lanterns"}}},
      {"job retry"},
      {"task reference-remove"},
      {"cast remove"},
      {"link revoke"},
      {"token revoke"},
      {"role withdraw"},
      {"me password", {{"old", kTestPassword}}},
  };
  steps.insert(steps.end(), rest.begin(), rest.end());
  if (sqlite) steps.push_back({"backup"});
  return steps;
}

TEST_P(Answers, AreAsTheDocumentSays) {
  std::set<std::string_view> done;
  const auto ask = [&](const Step& step) {
    Client& root = story_.root();
    const Answer answer = story_.ask(root, step.operation, step.changed, step.file);
    EXPECT_EQ(answer.status / 100, 2) << step.operation << " " << answer.body;
    if (step.operation == "me password") root.keep(answer);
    if (answer.status / 100 == 2) done.insert(step.operation);
  };
  const bool sqlite = GetParam() == db::Backend::sqlite;
  for (const Step& step : story_of_all(sqlite)) ask(step);
  const Json job = story_.ask(story_.root(), "job list").json()["items"][0];
  write_file_atomically(story_.studio().studio().spool() / (job["id"].get<std::string>() + ".jpg"), "as if");
  ask({"job preview", {{"job", job["id"]}}});
  const std::string file = story_.make("file upload", Json::object(), png(8, 8, 201))["sha256"];
  ask({"take file-add", {{"sha256", file}}});
  for (const Operation& operation : app::operations()) {
    if (operation.name == "backup" && !sqlite) continue;  // PostgreSQL has pg_dump
    EXPECT_TRUE(done.contains(operation.name)) << operation.name;
  }
}

TEST_P(Answers, OfGuestsAreAsTheDocumentSays) {
  Client guest = story_.studio().client();
  const std::string path = "/api/v1/shared/" + story_.link_token();
  const Answer opened = guest.post(path + "/open", {{"password", "for guests"}, {"name", "Guest"}});
  ASSERT_EQ(opened.status, 201) << opened.body;
  guest.keep(opened);
  const Json view = guest.get(path).json();
  ASSERT_EQ(view["takes"].size(), 1u);
  const std::string take = path + "/takes/" + view["takes"][0]["id"].get<std::string>();
  EXPECT_EQ(guest.get(take + "/picture").body, png(8, 8, 40));
  EXPECT_EQ(guest.get(take + "/thumbnail").header("content-type"), "image/jpeg");
  EXPECT_EQ(guest.post(take + "/comments", {{"text", "calmer"}, {"drawing", nullptr}}).status, 201);
}

}  // namespace
}  // namespace maquette::server
