// What is tried and refused, on every operation: values of wrong kinds, texts that mean something elsewhere,
// requests of other sites. Nothing of it may make the server fail, and nothing may leave its place.
#include <gtest/gtest.h>
#include <set>

#include "base/recipe.h"
#include "server/test_story.h"

namespace maquette::server {
namespace {

using app::Kind;
using app::Operation;
using app::Parameter;
using app::Place;

class Hostile : public testing::TestWithParam<db::Backend> {
 protected:
  Story story_{GetParam()};
  Client& root() { return story_.root(); }
};

INSTANTIATE_TEST_SUITE_P(Databases, Hostile, testing::ValuesIn(db::test_backends()), [](const auto& each) {
  return each.param == db::Backend::sqlite ? "sqlite" : "postgresql";
});

// --- wrong kinds ---

std::vector<Json> wrong_for(Kind kind) {
  const Json object = {{"a", 1}}, list = {1, 2};
  switch (kind) {
    case Kind::text: return {5, 1.5, true, object, list};
    case Kind::integer: return {"5", 1.5, true, object, list, uint64_t{1} << 63};
    case Kind::number: return {"5", true, object, list};
    case Kind::flag: return {"true", 0, 1, object, list};
    case Kind::object: return {"{}", 5, true, list};
    case Kind::array: return {"[]", 5, true, object};
    case Kind::json: return {"{}", 5, true};
    case Kind::list: return {"a", 5, true, object, list, Json::array({"a", nullptr}), Json::array({list})};
  }
  return {};
}

TEST_P(Hostile, ValuesOfWrongKindsAreRefused) {
  for (const Operation& operation : app::operations()) {
    for (const Parameter& parameter : operation.parameters) {
      const std::string name(parameter.name);
      if (parameter.place == Place::body && !operation.takes_file) {
        for (const Json& wrong : wrong_for(parameter.kind)) {
          const Answer answer = story_.ask(root(), operation.name, {{name, wrong}});
          EXPECT_EQ(answer.status, 400)
              << operation.name << " " << name << " " << wrong << " " << answer.body;
        }
        const Answer null = story_.ask(root(), operation.name, {{name, nullptr}});
        EXPECT_LT(null.status, 500) << operation.name << " " << name << " " << null.body;
        if (parameter.required) {
          EXPECT_EQ(null.status, 400) << operation.name << " " << name;
        }
      } else if (parameter.kind != Kind::text) {
        const Answer answer = story_.ask(root(), operation.name, {{name, "neither"}});
        EXPECT_EQ(answer.status, 400) << operation.name << " " << name << " " << answer.body;
      }
    }
  }
}

TEST_P(Hostile, BodiesThatAreNoObjectsAreRefused) {
  for (const Operation& operation : app::operations()) {
    if (operation.method == "GET" || operation.takes_file) continue;
    std::string path = "/api/v1";
    for (const std::string& word : split(operation.path.substr(1), '/'))
      path += "/" + (word.starts_with('{') ? "x" : word);
    for (const char* body :
         {"[]", "5", "\"x\"", "null", "true", "{", "{\"a\":}", "{\"a\":1}}", "\xff", "{\"\xff\":1}",
          "{\"\\ud800\":1}", "{\"no such field\":1}", "{\"a\\u0000\":\"b\\u0000\"}"}) {
      const Answer answer = root().send(operation.method, path, body);
      EXPECT_EQ(answer.status, 400) << operation.name << " " << body << " " << answer.body;
    }
    EXPECT_EQ(root().send(operation.method, path, std::string(9 << 20, ' ')).status, 413) << operation.name;
  }
}

// Whole numbers at their ends.
TEST_P(Hostile, NumbersAtTheirEndsBreakNothing) {
  for (const Operation& operation : app::operations()) {
    for (const Parameter& parameter : operation.parameters) {
      if (parameter.kind != Kind::integer) continue;
      for (const int64_t number :
           {int64_t{INT64_MIN}, int64_t{INT64_MAX}, int64_t{INT32_MAX} + 1, int64_t{-1}, int64_t{0}}) {
        const Answer answer = story_.ask(root(), operation.name, {{std::string(parameter.name), number}});
        EXPECT_LT(answer.status, 500)
            << operation.name << " " << parameter.name << " " << number << answer.body;
      }
    }
  }
}

// Every value of a document, replaced by every kind of value.
void each_changed(const Json& document, const std::function<void(const Json&, const std::string&)>& use) {
  const Json values[] = {nullptr,
                         true,
                         -1,
                         1e300,
                         5,
                         "x",
                         "",
                         "sha256:x",
                         Json::array(),
                         Json::object(),
                         Json::array({Json::array()}),
                         Json::array({nullptr}),
                         int64_t{INT64_MAX}};
  const Json flat = document.flatten();
  std::set<std::string> places;
  for (const auto& [pointer, value] : flat.items()) {
    // The leaf and everything around it.
    for (std::string place = pointer; !place.empty(); place = place.substr(0, place.rfind('/')))
      places.insert(place);
  }
  for (const std::string& place : places) {
    for (const Json& value : values) {
      Json changed = document;
      changed[Json::json_pointer(place)] = value;
      use(changed, place + " " + value.dump());
    }
  }
}

TEST_P(Hostile, DocumentsInsideOfBodiesAreChecked) {
  const std::string picture =
      "sha256:" + story_.make("file upload", Json::object(), png(8, 8, 3))["sha256"].get<std::string>();
  const FileRef file{.path = picture}, model{.path = "starter"};
  Recipe whole;
  whole.model = model;
  whole.prompt = "dusk <lora:none:1>";
  whole.init = whole.mask = file;
  whole.regions.push_back({.prompt = "sea", .mask = file});
  whole.controls.push_back({.model = model, .image = file});
  whole.loras.push_back({.file = model});
  whole.embeddings.push_back(model);
  const Json recipe = to_json(whole);
  const Json stroke = {{"kind", "path"},     {"points", {{0.1, 0.1, 0.5}, {0.9, 0.9}}},
                       {"color", "#ff0000"}, {"width", 0.01},
                       {"text", "here"},     {"filled", true}};
  const std::vector<std::tuple<std::string_view, std::string, Json>> documents = {
      {"job create", "recipe", recipe},
      {"show update",
       "settings",
       {{"width", 64}, {"overscan", 0.1}, {"path_template", "{show}"}, {"quotas", {{"artist", 4}}}}},
      {"entity update", "data", {{"frames", 10}, {"max_retakes", 2}, {"own", {{"a", {1}}}}}},
      {"user create", "roles", {{"", {"artist"}}, {"lanterns", {"trainer"}}}},
      {"annotation create", "drawing", Json::array({stroke})},
      {"canvas save", "document", {{"layers", {{{"name", "sky"}}}}}},
  };
  for (const auto& [operation, field, document] : documents) {
    each_changed({{"x", document}}, [&](const Json& changed, const std::string& what) {
      const Answer answer = story_.ask(root(), operation, {{field, changed["x"]}});
      EXPECT_LT(answer.status, 500) << operation << " " << what << " " << answer.body;
    });
  }
  // What was taken breaks nothing that reads it later.
  for (const char* operation :
       {"show info", "entity info", "annotation list", "canvas show", "job list", "user list"})
    EXPECT_EQ(story_.ask(root(), operation).status, 200) << operation;
  EXPECT_EQ(story_.ask(root(), "playlist sheet").status, 200);
  for (const Json& annotation : items_of(story_.ask(root(), "annotation list")))
    EXPECT_LT(story_.ask(root(), "annotation mask", {{"annotation", annotation["id"]}}).status, 500);
}

// Guests' drawings go the same ways as others.
TEST_P(Hostile, DrawingsOfGuestsAreChecked) {
  Client guest = story_.studio().client();
  const std::string path = "/api/v1/shared/" + story_.link_token();
  guest.keep(guest.post(path + "/open", {{"password", "for guests"}, {"name", "Guest"}}));
  const std::string comments =
      path + "/takes/" + guest.get(path).json()["takes"][0]["id"].get<std::string>() + "/comments";
  const Json stroke = {
      {"kind", "path"}, {"points", {{0.1, 0.1, 0.5}, {0.9, 0.9}}}, {"color", "#ff0000"}, {"width", 0.01}};
  EXPECT_EQ(
      guest.post(comments, {{"text", "x"}, {"drawing", {{{"kind", "path"}, {"points", Json::array()}}}}})
          .status,
      400);
  each_changed({{"drawing", Json::array({stroke})}}, [&](const Json& changed, const std::string& what) {
    const Answer answer = guest.post(comments, {{"text", "here"}, {"drawing", changed["drawing"]}});
    EXPECT_LT(answer.status, 500) << what << " " << answer.body;
  });
  EXPECT_EQ(guest.send("POST", comments, R"({"text":"a\u0000b"})").status, 400);
  EXPECT_EQ(guest
                .send("POST", comments,
                      R"({"text":"a","drawing":[{"kind":"text","points":[[0,0]],"text":"\u0000"}]})")
                .status,
            400);
  for (const Json& annotation : items_of(story_.ask(root(), "annotation list")))
    EXPECT_LT(story_.ask(root(), "annotation mask", {{"annotation", annotation["id"]}}).status, 500);
  EXPECT_EQ(story_.ask(root(), "playlist sheet").status, 200);
}

// --- texts ---

const std::vector<std::string>& nasty_texts() {
  static const std::vector<std::string> list = {
      "'; DROP TABLE takes; --",
      "\" OR 1=1 --",
      "\\'; SELECT pg_sleep(9); --",
      "%' ESCAPE '!",
      "_%!_",
      "<script>alert(1)</script>",
      "\"><img src=x onerror=alert(1)>",
      "=cmd|' /C calc'!A0",
      "../../../../tmp/escaped",
      "..\\..\\escaped",
      "/tmp/escaped",
      "shows/../../escaped",
      "..",
      ".",
      "",
      " ",
      "a\tb",
      "a\nSet-Cookie: x=1",
      "{}{0}{:99999999d}%s%n%x",
      "{{7*7}}${7*7}",
      "\u202Egnp.exe",
      "\uFEFF\u200B\u2066",
      "🎨👩‍🎨 漢字 é",
      std::string(150'000, 'x'),
  };
  return list;
}

// Names of files and folders are letters of codes, hashes and what the program itself calls them.
void expect_safe_names(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(std::ranges::all_of(name, [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '_' || c == '.';
    })) << entry.path();
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/escaped"));
  EXPECT_FALSE(std::filesystem::exists(folder.parent_path() / "escaped"));
}

TEST_P(Hostile, TextsMeanNothingAnywhere) {
  const std::filesystem::path folder = story_.studio().studio().folder();
  for (const Operation& operation : app::operations()) {
    if (operation.name == "backup") continue;  // its name is a code, which production_test tries
    for (const Parameter& parameter : operation.parameters) {
      if (parameter.kind != Kind::text && parameter.kind != Kind::list) continue;
      const std::string name(parameter.name);
      for (const std::string& text : nasty_texts()) {
        if (parameter.place != Place::body && text.size() > 10'000) continue;  // below
        if (parameter.place == Place::path && text.empty()) continue;          // another address
        const Json value = parameter.kind == Kind::list ? Json::array({text}) : Json(text);
        const Answer answer = story_.ask(root(), operation.name, {{name, value}});
        EXPECT_LT(answer.status, 500)
            << operation.name << " " << name << " " << text.substr(0, 40) << answer.body;
        for (const auto& [header, said] : answer.headers)
          EXPECT_NE(header, "set-cookie") << operation.name << " " << name;
      }
      if (parameter.place == Place::body && !operation.takes_file) {
        EXPECT_EQ(story_.ask(root(), operation.name, {{name, std::string("a\0b", 3)}}).status, 400)
            << operation.name << " " << name;
        EXPECT_GE(story_.ask(root(), operation.name, {{name, std::string(1 << 20, 'x')}}).status, 400)
            << operation.name << " " << name;
      } else {
        for (const std::string& text : {std::string("a\0b", 3), std::string("\xff"), std::string("\xc0\xaf"),
                                        std::string("a\r\nSet-Cookie: x=1")})
          EXPECT_EQ(story_.ask(root(), operation.name, {{name, text}}).status, 400)
              << operation.name << " " << name;
        const Answer longest = story_.ask(root(), operation.name, {{name, std::string(50'000, 'x')}});
        EXPECT_TRUE(longest.status == 431 || longest.status == 0) << operation.name << " " << longest.status;
      }
    }
  }
  expect_safe_names(folder);
  // Everything is still there.
  EXPECT_EQ(story_.ask(root(), "take info").status, 200);
  EXPECT_GE(story_.ask(root(), "event list", {{"limit", 500}}).json()["items"].size(), 100u);
  const Answer sheet = story_.ask(root(), "playlist sheet");
  EXPECT_TRUE(sheet.body.starts_with("%PDF")) << sheet.body.substr(0, 200);
}

// Names and texts come back as they were; in tables, what a spreadsheet would run is a text.
TEST_P(Hostile, TextsComeBackAsTheyWereAndTablesRunNothing) {
  int number = 0;
  for (const std::string& text : nasty_texts()) {
    const std::string code = fmt::format("x{}", ++number);
    const Json asset = story_.make("asset create", {{"code", code}, {"asset_type", "prop"}, {"brief", text}});
    EXPECT_EQ(asset["brief"], text);
    const Json task = story_.make("task create", {{"entity", asset["id"]}, {"brief", text}});
    EXPECT_EQ(task["brief"], text);
    if (!trim(text).empty()) {
      story_.make("comment create", {{"task", task["id"]}, {"text", text}});
      EXPECT_EQ(story_.ask(root(), "comment list", {{"task", task["id"]}}).json()["items"][0]["text"], text);
    }
    EXPECT_EQ(story_.make("annotation create", {{"note", text}})["note"], text);
    EXPECT_EQ(story_.make("playlist create", {{"description", text}})["description"], text);
  }
  for (const std::string& formula : {std::string("=1+1"), std::string("+1"), std::string("-1"),
                                     std::string("@SUM(A1)"), std::string("\t=1")})
    story_.make("asset create",
                {{"code", fmt::format("f{}", ++number)}, {"asset_type", "prop"}, {"brief", formula}});
  const Answer table = story_.ask(root(), "export", {{"what", "assets"}});
  EXPECT_EQ(table.header("content-type"), "text/csv; charset=utf-8");
  EXPECT_EQ(table.header("content-disposition"), "attachment") << "a table is never shown as a page";
  for (const auto& entry : std::filesystem::directory_iterator(story_.studio().studio().spool()))
    EXPECT_FALSE(entry.path().filename().string().starts_with("export-")) << "stays when it was sent";
  for (const char* begin : {",=", ",+", ",-", ",@", ",\t", ",\"=", ",\"+", ",\"-", ",\"@", ",\"\t", "\n="})
    EXPECT_EQ(table.body.find(begin), std::string::npos) << begin;
  EXPECT_NE(table.body.find(",'=1+1,"), std::string::npos);
}

// --- other sites ---

TEST_P(Hostile, OtherSitesCanAskForNothing) {
  const auto status = [&](Client client, const Operation& operation, const std::string& more) {
    return story_.ask(client, operation.name, Json::object(), "", more).status;
  };
  for (const Operation& operation : app::operations()) {
    EXPECT_EQ(status(root(), operation, "Origin: http://evil.example\r\n"), 403) << operation.name;
    EXPECT_EQ(status(root(), operation, "Origin: null\r\n"), 403) << operation.name;
    EXPECT_EQ(status(root(), operation, "Origin: http://localhost.evil.example\r\n"), 403) << operation.name;
    EXPECT_EQ(status(root(), operation, "Sec-Fetch-Site: cross-site\r\n"), 403) << operation.name;
    EXPECT_EQ(status(root(), operation, "Sec-Fetch-Site: same-site\r\n"), 403) << operation.name;
    Client rebound = root();
    rebound.host = "rebind.example:8700";
    EXPECT_EQ(status(rebound, operation, ""), 403) << operation.name;
    if (operation.method == "GET") continue;
    Client forged = root();
    forged.csrf.clear();
    EXPECT_EQ(status(forged, operation, ""), 403) << operation.name;
    forged.csrf = story_.studio().signed_in("somebody").csrf;
    EXPECT_EQ(status(forged, operation, ""), 403) << operation.name << " with another session's token";
    if (operation.takes_file || operation.method == "DELETE") continue;
    // What a form can send without asking first.
    for (const char* type :
         {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"})
      EXPECT_EQ(status(root(), operation, fmt::format("Content-Type: {}\r\n", type)), 415) << operation.name;
  }
}

}  // namespace
}  // namespace maquette::server
