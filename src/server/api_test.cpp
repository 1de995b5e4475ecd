// The API: every operation has its route, its document and its rule; what is stale, wrong or hostile is
// refused.
#include <gtest/gtest.h>
#include <set>
#include <thread>

#include "app/studio/operation.h"
#include "server/openapi.h"
#include "server/test_server.h"

namespace maquette::server {
namespace {

using app::Operation;
using app::Place;
using production::Role;

// A path whose resources do not exist.
std::string path_without_resources(const Operation& operation) {
  std::string path = "/api/v1";
  for (const std::string& word : split(operation.path.substr(1), '/'))
    path += word.starts_with('{') ? "/nothing-here" : "/" + word;
  return path;
}

std::set<std::string> names_in(std::string_view path) {
  std::set<std::string> names;
  for (const std::string& word : split(path, '/')) {
    if (word.starts_with('{')) names.insert(word.substr(1, word.size() - 2));
  }
  return names;
}

TEST(Operations, AreWholeAndUnique) {
  std::set<std::string> names;
  std::set<std::string> routes;
  for (const Operation& operation : app::operations()) {
    EXPECT_TRUE(names.emplace(operation.name).second) << operation.name;
    EXPECT_TRUE(routes.insert(fmt::format("{} {}", operation.method, operation.path)).second)
        << operation.path;
    EXPECT_FALSE(operation.summary.empty()) << operation.name;
    EXPECT_TRUE(operation.example.find(fmt::format("maquette {}", operation.name)) != operation.example.npos)
        << operation.name;
    std::set<std::string> path_names;
    std::set<std::string> all_names;
    for (const app::Parameter& parameter : operation.parameters) {
      EXPECT_TRUE(all_names.emplace(parameter.name).second) << operation.name << " " << parameter.name;
      if (parameter.place == Place::path) path_names.emplace(parameter.name);
    }
    EXPECT_EQ(path_names, names_in(operation.path)) << operation.name;
    if (operation.method == "GET") {
      for (const app::Parameter& parameter : operation.parameters)
        EXPECT_NE(parameter.place, Place::body) << operation.name;
    }
  }
}

TEST(OpenApi, SaysWhatTheRoutesDo) {
  const Json document = openapi_document();
  std::set<std::string> ids;
  size_t operations = 0;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, each] : methods.items()) {
      EXPECT_TRUE(ids.insert(each["operationId"].get<std::string>()).second) << path;
      std::set<std::string> in_path;
      for (const Json& parameter : each.value("parameters", Json::array())) {
        if (parameter.value("in", "") == "path") in_path.insert(parameter["name"].get<std::string>());
      }
      EXPECT_EQ(in_path, names_in(path)) << path;
      operations += each.contains("x-maquette-command");
    }
  }
  EXPECT_EQ(operations, app::operations().size());
  for (const Operation& operation : app::operations()) {
    const Json& each = document["paths"][std::string(operation.path)][lower_ascii(operation.method)];
    ASSERT_EQ(each["x-maquette-command"], operation.name);
    EXPECT_EQ(each["x-maquette-action"], production::name(operation.action));
    std::set<std::string> documented;
    for (const Json& parameter : each.value("parameters", Json::array())) {
      if (parameter.contains("name")) documented.insert(parameter["name"].get<std::string>());
    }
    if (!operation.takes_file && each.contains("requestBody")) {
      const Json& schema = each["requestBody"]["content"]["application/json"]["schema"];
      for (const auto& [name, property] : schema["properties"].items()) documented.insert(name);
    }
    std::set<std::string> wanted;
    for (const app::Parameter& parameter : operation.parameters) wanted.emplace(parameter.name);
    EXPECT_EQ(documented, wanted) << operation.name;
    EXPECT_EQ(find_route(operation.method, path_without_resources(operation).substr(7)).operation, &operation)
        << operation.name;
  }
}

class ApiTest : public testing::TestWithParam<db::Backend> {
 protected:
  TestStudio studio_{GetParam()};
  Client administrator() {
    studio_.add_person("root", Role::administrator);
    return studio_.signed_in("root");
  }
};

INSTANTIATE_TEST_SUITE_P(Databases, ApiTest, testing::ValuesIn(db::test_backends()), [](const auto& each) {
  return each.param == db::Backend::sqlite ? "sqlite" : "postgresql";
});

// 403 exactly where the table of roles says so, and 401 for everybody who is nobody.
TEST_P(ApiTest, EveryRoleMayDoWhatTheTableSays) {
  Client nobody = studio_.client();
  for (const Operation& operation : app::operations()) {
    const std::string path = path_without_resources(operation);
    EXPECT_EQ(nobody.send(operation.method, path, operation.method == "GET" ? "" : "{}").status, 401)
        << operation.name;
  }
  for (const Role role : production::all_roles()) {
    const std::string login(production::name(role));
    studio_.add_person(login, role);
    Client client = studio_.signed_in(login);
    for (const Operation& operation : app::operations()) {
      if (operation.name == "backup") continue;  // needs no arguments: it would make one
      const Answer answer = client.send(operation.method, path_without_resources(operation),
                                        operation.method == "GET" ? "" : "{}");
      const bool others = operation.others && production::may(role, *operation.others);
      if (others || production::may(role, operation.action)) {
        EXPECT_NE(answer.status, 403) << login << " " << operation.name << " " << answer.body;
        EXPECT_LT(answer.status, 500) << login << " " << operation.name << " " << answer.body;
      } else {
        EXPECT_EQ(answer.status, 403) << login << " " << operation.name << " " << answer.body;
        EXPECT_EQ(answer.json()["error"]["fields"]["action"], production::name(operation.action));
      }
    }
  }
}

TEST_P(ApiTest, ErrorsHaveFiveFields) {
  Client client = administrator();
  const Answer answer = client.get("/api/v1/people/nobody-there");
  EXPECT_EQ(answer.status, 404);
  const Json error = answer.json()["error"];
  EXPECT_EQ(error["code"], "not-found");
  EXPECT_TRUE(error["what"].is_string() && error["fields"].is_object() && error["hint"].is_string());
  EXPECT_EQ(client.get("/api/v1/no-such-thing").status, 404);
  EXPECT_EQ(client.get("/api/v2/people").status, 404);
  const Answer method = client.send("DELETE", "/api/v1/people");
  EXPECT_EQ(method.status, 405);
  EXPECT_NE(method.header("allow").find("GET"), std::string::npos);
}

TEST_P(ApiTest, ArgumentsAreOfTheirKinds) {
  Client client = administrator();
  EXPECT_EQ(client.get("/api/v1/people?limit=ten").status, 400);
  EXPECT_EQ(client.get("/api/v1/people?limit=0").status, 400);
  EXPECT_EQ(client.get("/api/v1/people?limit=501").status, 400);
  EXPECT_EQ(client.get("/api/v1/people?limit=5&limit=6").status, 400);
  EXPECT_EQ(client.get("/api/v1/people?unknown=1").status, 400);
  EXPECT_EQ(client.get("/api/v1/people?inactive=true&limit=5").status, 200);
  EXPECT_EQ(client.post("/api/v1/people", {{"login", 5}}).status, 400);
  EXPECT_EQ(client.post("/api/v1/people", {{"login", Json::array()}}).status, 400);
  EXPECT_EQ(client.post("/api/v1/people", {{"name", "no login"}}).status, 400);
  EXPECT_EQ(client.post("/api/v1/people", {{"login", "x"}, {"unknown", true}}).status, 400);
  EXPECT_EQ(client.send("POST", "/api/v1/people", "[1]").status, 400);
  EXPECT_EQ(client.send("POST", "/api/v1/people", "{broken").status, 400);
  EXPECT_EQ(client.send("POST", "/api/v1/people", "{\"login\":\"\xff\"}").status, 400);
  EXPECT_EQ(client.send("POST", "/api/v1/people", R"({"login":"zero","name":"a\u0000b"})").status, 400);
  EXPECT_EQ(client.send("POST", "/api/v1/people", std::string(3000, '[')).status, 400) << "nested deeply";
  EXPECT_EQ(client.send("POST", "/api/v1/people", "{}", "Content-Type: text/plain\r\n").status, 415);
  EXPECT_EQ(client.post("/api/v1/people", {{"login", "x"}, {"name", std::string(2 << 20, 'x')}}).status, 413);
}

TEST_P(ApiTest, PathsCannotLeaveTheirPlace) {
  Client client = administrator();
  for (const char* path : {"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../../../etc/passwd",
                           "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/api/v1/../../etc/passwd"}) {
    const Answer answer = client.get(path);
    EXPECT_EQ(answer.body.find("root:"), std::string::npos) << path;
    EXPECT_TRUE(answer.status == 404 || answer.body.find("<html") != std::string::npos)
        << path << answer.status;
  }
  EXPECT_EQ(client.get("/api/v1/people/%00").status, 400);
  EXPECT_EQ(client.get("/api/v1/people/%0d%0aSet-Cookie:x").status, 400);
  EXPECT_EQ(client.get("/api/v1/people/%zz").status, 400);
  EXPECT_EQ(client.get("/api/v1/people/%2e%2e").status, 404);
  EXPECT_EQ(client.get("/api/v1/people//").status, 404);
}

TEST_P(ApiTest, ChangesSayWhichVersionTheySaw) {
  Client client = administrator();
  const Answer made = client.post("/api/v1/people", {{"login", "ada"}, {"name", "Ada"}});
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string tag = made.header("etag");
  EXPECT_EQ(tag, fmt::format("\"{}\"", made.json()["version"].get<int>()));
  const auto change = [&](const std::string& if_match) {
    return client
        .send("PATCH", "/api/v1/people/ada", R"({"name":"Ada L."})", "If-Match: " + if_match + "\r\n")
        .status;
  };
  EXPECT_EQ(change(tag), 200);
  EXPECT_EQ(change(tag), 412) << "it was changed meanwhile";
  EXPECT_EQ(change("*"), 200);
  EXPECT_EQ(change("W/" + tag), 412);
  EXPECT_EQ(change("5"), 400);
  EXPECT_EQ(client.post("/api/v1/people", {{"login", "ada"}, {"name", "Again"}}).status, 409);
}

constexpr const char* kInjections[] = {"'; DROP TABLE people; --",
                                       "\" OR 1=1 --",
                                       "<script>alert(1)</script>",
                                       "{{7*7}} ${7*7} #{7*7}",
                                       "%00 %n %s %x",
                                       "../../etc/passwd",
                                       "\\'; --",
                                       "a_b%c",
                                       "=cmd|' /C calc'!A0",
                                       "é 漢字 🎨 \u202E"};

TEST_P(ApiTest, TextsComeBackAsTheyWere) {
  Client client = administrator();
  int number = 0;
  for (const char* text : kInjections) {
    const std::string login = fmt::format("p{}", ++number);
    ASSERT_EQ(client.post("/api/v1/people", {{"login", login}, {"name", text}}).status, 201) << text;
    EXPECT_EQ(client.get("/api/v1/people/" + login).json()["name"], text);
    EXPECT_EQ(client.post("/api/v1/api-tokens", {{"name", text}, {"scopes", {"show.read"}}}).json()["name"],
              text);
    EXPECT_EQ(client.post("/api/v1/count-tokens", {{"prompt", text}}).status, 200);
    // As a login, a search, a cursor and an id it finds or refuses, and breaks nothing.
    EXPECT_EQ(client.post("/api/v1/people", {{"login", text}, {"name", "x"}}).status, 400) << text;
    std::string escaped;
    for (const char letter : std::string_view(text))
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    if (escaped.find("%00") == escaped.npos) {
      EXPECT_EQ(client.get("/api/v1/people/" + escaped).status, 404) << text;
      const Answer found = client.get("/api/v1/people?search=" + escaped);
      ASSERT_EQ(found.status, 200) << found.body;
      EXPECT_EQ(found.json()["items"].size(), 1u) << text;
      EXPECT_EQ(client.get("/api/v1/people?after=" + escaped).status, 400) << "no cursor of ours";
    }
    EXPECT_EQ(client.post("/api/v1/sessions", {{"login", text}, {"password", text}}).status, 401);
  }
  EXPECT_EQ(client.post("/api/v1/people", {{"login", "lines"}, {"name", "two\nlines"}}).status, 400);
}

// Codes are for file names; names, briefs and settings hold any text.
TEST_P(ApiTest, TextsOfShowsComeBackAsTheyWere) {
  Client client = administrator();
  int number = 0;
  for (const char* text : kInjections) {
    const std::string code = fmt::format("show{}", ++number);
    const Answer made = client.post("/api/v1/shows", {{"code", code}, {"name", text}});
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(client.get("/api/v1/shows/" + code).json()["name"], text);
    EXPECT_EQ(client.post("/api/v1/shows", {{"code", text}, {"name", "x"}}).status, 400) << text;
    const Answer entity = client.post(
        "/api/v1/shows/" + code + "/entities",
        {{"kind", "asset"}, {"code", "tree"}, {"name", text}, {"brief", text}, {"asset_type", "prop"}});
    ASSERT_EQ(entity.status, 201) << entity.body;
    const Json back = client.get("/api/v1/entities/" + code + "%2Ftree").json();
    EXPECT_EQ(back["name"], text);
    EXPECT_EQ(back["brief"], text);
  }
}

TEST_P(ApiTest, AnswersCarryTheirHeaders) {
  Client client = administrator();
  for (const char* path : {"/", "/api/v1/me", "/api/v1/openapi.json", "/nothing.js"}) {
    const Answer answer = client.get(path);
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(answer.header("referrer-policy"), "no-referrer") << path;
    const std::string policy = answer.header("content-security-policy");
    EXPECT_NE(policy.find("default-src 'none'"), policy.npos) << path;
    EXPECT_NE(policy.find("frame-ancestors 'none'"), policy.npos) << path;
    EXPECT_EQ(policy.find("unsafe"), policy.npos) << path;
  }
  EXPECT_EQ(client.get("/api/v1/me").header("cache-control"), "no-store");
  EXPECT_EQ(client.send("HEAD", "/api/v1/me").status, 200);
  EXPECT_EQ(client.send("HEAD", "/api/v1/me").body, "");
  const Answer page = client.get("/");
  EXPECT_EQ(client.get("/", "If-None-Match: " + page.header("etag") + "\r\n").status, 304);
  EXPECT_EQ(client.get("/shows/lanterns").body, page.body) << "a view of the page";
  EXPECT_EQ(client.get("/assets/none.js").status, 404);
  EXPECT_EQ(client.send("POST", "/").status, 405);
}

// --- uploads ---

size_t files_in(const std::filesystem::path& folder) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

TEST(Uploads, HaveALimitAndLeaveNothing) {
  TestStudio studio(db::Backend::sqlite, {.api = {.upload_limit = 1 << 20}});
  studio.add_person("root", Role::administrator);
  Client client = studio.signed_in("root");
  ASSERT_EQ(client.post("/api/v1/shows", {{"code", "s"}, {"name", "S"}}).status, 201);
  const std::string path = "/api/v1/shows/s/uploads";
  const std::string type = "Content-Type: image/png\r\n";
  EXPECT_EQ(client.send("POST", path, std::string((1 << 20) + 1, 'x'), type).status, 413);
  // Without a length that could be looked at.
  Wire wire(client.port);
  wire.send(
      fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nX-CSRF-Token: "
                  "{}\r\nTransfer-Encoding: chunked\r\n\r\n",
                  path, client.cookie, client.csrf));
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 40 && wire.send(chunk); ++i) {
  }
  EXPECT_EQ(wire.answer().status, 413);
  EXPECT_EQ(client.send("POST", path, "this is no picture", type).status, 422);
  {
    // The sender leaves in the middle.
    Wire gone(client.port);
    gone.send(
        fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nX-CSRF-Token: "
                    "{}\r\nContent-Length: 1000\r\n\r\nabc",
                    path, client.cookie, client.csrf));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(files_in(studio.studio().spool()), 0u);
}

}  // namespace
}  // namespace maquette::server
