// Who may come in: sessions, tokens, links, and what is refused.
#include <gtest/gtest.h>

#include "app/picture_record.h"
#include "base/file.h"
#include "base/hash.h"
#include "production/accounts_links.h"
#include "server/test_server.h"

namespace maquette::server {
namespace {

using production::Role;

class SignIn : public testing::TestWithParam<db::Backend> {
 protected:
  TestStudio studio_{GetParam()};

  void execute(std::string_view sql) {
    db::Transaction tx(studio_.studio().database());
    tx->execute(sql);
    tx.commit();
  }
};

INSTANTIATE_TEST_SUITE_P(Databases, SignIn, testing::ValuesIn(db::test_backends()), [](const auto& each) {
  return each.param == db::Backend::sqlite ? "sqlite" : "postgresql";
});

TEST_P(SignIn, GivesACookieThatScriptsCannotRead) {
  studio_.add_person("ada", Role::artist);
  Client client = studio_.client();
  EXPECT_EQ(client.get("/api/v1/me").status, 401);
  const Answer answer = client.post("/api/v1/sessions", {{"login", "Ada"}, {"password", kTestPassword}});
  ASSERT_EQ(answer.status, 201) << answer.body;
  const std::string cookie = answer.header("set-cookie");
  for (const char* part : {"HttpOnly", "SameSite=Strict", "Path=/"})
    EXPECT_NE(cookie.find(part), cookie.npos) << cookie;
  EXPECT_EQ(cookie.find("Secure"), cookie.npos);
  client.keep(answer);
  const Json me = client.get("/api/v1/me").json();
  EXPECT_EQ(me["person"]["login"], "ada");
  EXPECT_EQ(me["roles"][""], Json::array({"artist"}));
  EXPECT_EQ(me["csrf"], client.csrf);
  EXPECT_FALSE(me["single_user"].get<bool>());
  EXPECT_EQ(me["program"], app::version());

  EXPECT_EQ(client.send("DELETE", "/api/v1/sessions/current").status, 204);
  EXPECT_EQ(client.get("/api/v1/me").status, 401);
}

TEST_P(SignIn, KeepsOnlyTheHashOfTheToken) {
  studio_.add_person("ada", Role::artist);
  const Client client = studio_.signed_in("ada");
  const std::string token = client.cookie.substr(client.cookie.find('=') + 1);
  const db::Lease c = studio_.studio().database().connect();
  const auto row = c->first("SELECT token_hash FROM sessions");
  EXPECT_EQ(row->text("token_hash"), sha256_hex(token));
  EXPECT_TRUE(c->first("SELECT password FROM people WHERE login = 'ada'")
                  ->text("password")
                  .starts_with("$argon2id$"));
}

TEST_P(SignIn, EndsWhenItExpiresOrThePersonIsGone) {
  studio_.add_person("ada", Role::artist);
  Client client = studio_.signed_in("ada");
  ASSERT_EQ(client.get("/api/v1/me").status, 200);
  execute("UPDATE sessions SET expires_at = '2020-01-01T00:00:00.000Z'");
  EXPECT_EQ(client.get("/api/v1/me").status, 401);

  client = studio_.signed_in("ada");
  ASSERT_EQ(client.get("/api/v1/me").status, 200);
  execute("UPDATE people SET active = 0 WHERE login = 'ada'");
  EXPECT_EQ(client.get("/api/v1/me").status, 401);
  EXPECT_EQ(client.post("/api/v1/sessions", {{"login", "ada"}, {"password", kTestPassword}}).status, 401);
}

// 12 hours after the last use, but 7 days after the beginning.
TEST_P(SignIn, LastsAsLongAsItIsUsedAndNoLongerThanAWeek) {
  studio_.add_person("ada", Role::artist);
  Client client = studio_.signed_in("ada");
  const auto set = [&](std::chrono::hours begun) {
    const auto now = std::chrono::system_clock::now();
    db::Transaction tx(studio_.studio().database());
    tx->execute("UPDATE sessions SET created_at = :begun, seen_at = :seen, expires_at = :end",
                {{"begun", utc_text(now - begun)},
                 {"seen", utc_text(now - std::chrono::hours(11))},
                 {"end", utc_text(now + std::chrono::hours(1))}});
    tx.commit();
  };
  const auto hours_left = [&] {
    const db::Lease c = studio_.studio().database().connect();
    const auto end = parse_utc(c->first("SELECT expires_at FROM sessions")->text("expires_at"));
    return std::chrono::duration<double, std::ratio<3600>>(end - std::chrono::system_clock::now()).count();
  };
  set(std::chrono::hours(20));
  ASSERT_EQ(client.get("/api/v1/me").status, 200);
  EXPECT_NEAR(hours_left(), 12, 0.1);
  set(std::chrono::hours(24 * 7 - 2));
  ASSERT_EQ(client.get("/api/v1/me").status, 200);
  EXPECT_NEAR(hours_left(), 2, 0.1);
}

TEST_P(SignIn, RefusesGuessing) {
  studio_.add_person("ada", Role::artist);
  Client client = studio_.client();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(
        client.post("/api/v1/sessions", {{"login", "ada"}, {"password", fmt::format("guess number {}", i)}})
            .status,
        401);
  }
  const Answer answer = client.post("/api/v1/sessions", {{"login", "ada"}, {"password", kTestPassword}});
  EXPECT_EQ(answer.status, 429) << "even the right one has to wait";
  EXPECT_GT(std::stoi(answer.header("retry-after")), 60);
  execute("UPDATE sign_in_attempts SET at = '2020-01-01T00:00:00.000Z'");
  EXPECT_EQ(client.post("/api/v1/sessions", {{"login", "ada"}, {"password", kTestPassword}}).status, 201);
}

TEST_P(SignIn, RefusesGuessingLoginsFromOneAddress) {
  Client client = studio_.client();
  int answers[600] = {};
  for (int i = 0; i < 32; ++i) {
    ++answers[client
                  .post("/api/v1/sessions",
                        {{"login", fmt::format("nobody{}", i)}, {"password", "12345678901"}})
                  .status];
  }
  EXPECT_EQ(answers[401], 30);
  EXPECT_EQ(answers[429], 2);
}

TEST_P(SignIn, WantsTheTokenAgainstCrossSiteRequests) {
  studio_.add_person("ada", Role::artist);
  Client client = studio_.signed_in("ada");
  const std::string csrf = client.csrf;
  client.csrf.clear();
  EXPECT_EQ(client.send("PATCH", "/api/v1/me", R"({"language":"fr"})").status, 403);
  client.csrf = "wrong";
  EXPECT_EQ(client.send("PATCH", "/api/v1/me", R"({"language":"fr"})").status, 403);
  client.csrf = csrf;
  EXPECT_EQ(client.send("PATCH", "/api/v1/me", R"({"language":"fr"})").status, 200);
}

TEST_P(SignIn, RefusesOtherSitesAndOtherNames) {
  studio_.add_person("ada", Role::artist);
  Client client = studio_.signed_in("ada");
  const std::string body = R"({"language":"fr"})";
  EXPECT_EQ(client.send("PATCH", "/api/v1/me", body, "Origin: http://evil.example\r\n").status, 403);
  EXPECT_EQ(client.send("PATCH", "/api/v1/me", body, "Origin: null\r\n").status, 403);
  EXPECT_EQ(client.send("PATCH", "/api/v1/me", body, "Sec-Fetch-Site: cross-site\r\n").status, 403);
  EXPECT_EQ(client.get("/api/v1/me", "Sec-Fetch-Site: same-site\r\n").status, 403);
  EXPECT_EQ(
      client.send("PATCH", "/api/v1/me", body, "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n")
          .status,
      200);
  EXPECT_EQ(client.send("POST", "/api/v1/sessions", body, "Content-Type: text/plain\r\n").status, 415);
  // A name that an attacker made to mean this machine.
  client.host = "rebind.example:8700";
  EXPECT_EQ(client.get("/api/v1/me").status, 403);
  EXPECT_EQ(client.get("/").status, 403);
  client.host = "127.0.0.1:8700";
  EXPECT_EQ(client.get("/api/v1/me").status, 200);
  client.host = "[::1]:8700";
  EXPECT_EQ(client.get("/api/v1/me").status, 200);
}

TEST_P(SignIn, TheFirstAdministratorMustChangeThePassword) {
  const auto password = app::first_administrator(studio_.studio());
  ASSERT_TRUE(password);
  EXPECT_FALSE(app::first_administrator(studio_.studio())) << "told once";
  Client client = studio_.client();
  client.keep(client.post("/api/v1/sessions", {{"login", "admin"}, {"password", *password}}));
  EXPECT_TRUE(client.get("/api/v1/me").json()["person"]["must_change_password"].get<bool>());
  EXPECT_EQ(client.get("/api/v1/people").status, 403);
  EXPECT_EQ(client.get("/api/v1/events/stream").status, 403);
  EXPECT_EQ(client.post("/api/v1/me/change-password", {{"old", *password}, {"new", "short"}}).status, 400);
  EXPECT_EQ(client.post("/api/v1/me/change-password", {{"old", "wrong"}, {"new", kTestPassword}}).status,
            403);
  EXPECT_EQ(client.post("/api/v1/me/change-password", {{"old", *password}, {"new", *password}}).status, 400);
  const std::string before = client.cookie;
  const Answer answer =
      client.post("/api/v1/me/change-password", {{"old", *password}, {"new", kTestPassword}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  client.keep(answer);
  EXPECT_EQ(client.get("/api/v1/people").status, 200);
  Client stale{.port = client.port, .cookie = before};
  EXPECT_EQ(stale.get("/api/v1/me").status, 401) << "the sessions of the old password are over";
}

TEST_P(SignIn, ApiTokensHaveScopesAndAnEnd) {
  studio_.add_person("root", Role::administrator);
  Client client = studio_.signed_in("root");
  const Answer made =
      client.post("/api/v1/api-tokens", {{"name", "list"}, {"scopes", {"person.read", "token.own"}}});
  ASSERT_EQ(made.status, 201) << made.body;
  Client program{.port = client.port, .bearer = made.json()["token"].get<std::string>()};
  EXPECT_EQ(program.get("/api/v1/people").status, 200);
  EXPECT_EQ(program.post("/api/v1/people", {{"login", "eve"}, {"name", "Eve"}}).status, 403)
      << "beyond its scope";
  EXPECT_EQ(program.post("/api/v1/api-tokens", {{"name", "more"}, {"scopes", {"*"}}}).status, 403);
  EXPECT_EQ(program.post("/api/v1/me/change-password", {{"old", kTestPassword}, {"new", "another password"}})
                .status,
            403);
  const std::string list = client.get("/api/v1/api-tokens").body;
  EXPECT_EQ(list.find(program.bearer), list.npos) << "told once";

  execute("UPDATE api_tokens SET expires_at = '2020-01-01T00:00:00.000Z'");
  EXPECT_EQ(program.get("/api/v1/people").status, 401);
  execute("UPDATE api_tokens SET expires_at = NULL");
  EXPECT_EQ(program.get("/api/v1/people").status, 200);
  const std::string id = made.json()["id"].get<std::string>();
  EXPECT_EQ(client.send("POST", "/api/v1/api-tokens/" + id + "/revoke").status, 200);
  EXPECT_EQ(program.get("/api/v1/people").status, 401);
  program.bearer = "mqt_nonsense";
  EXPECT_EQ(program.get("/api/v1/people").status, 401);
}

TEST_P(SignIn, NothingSecretIsInTheEvents) {
  studio_.add_person("root", Role::administrator);
  Client client = studio_.signed_in("root");
  ASSERT_EQ(client
                .post("/api/v1/people", {{"login", "zelda"},
                                         {"name", "Zelda Zeta"},
                                         {"email", "zelda@example.org"},
                                         {"password", "a secret of Zelda"},
                                         {"roles", {{"", {"artist"}}}}})
                .status,
            201);
  ASSERT_EQ(
      client.send("PATCH", "/api/v1/people/zelda", R"({"name":"Zelda Omega","password":"the next secret"})")
          .status,
      200);
  const db::Lease c = studio_.studio().database().connect();
  size_t lines = 0;
  for (const db::Row& row : c->query("SELECT * FROM events")) {
    for (const char* column : {"subject_name", "before_value", "after_value", "subject_id"}) {
      const std::string text = lower_ascii(row.text(column));
      EXPECT_EQ(text.find("zelda"), text.npos) << text;
      EXPECT_EQ(text.find("secret"), text.npos) << text;
    }
    ++lines;
  }
  EXPECT_GE(lines, 5u);
}

TEST_P(SignIn, SomebodyIsAlwaysLeftToAdminister) {
  studio_.add_person("root", Role::administrator);
  Client client = studio_.signed_in("root");
  EXPECT_EQ(client.send("DELETE", "/api/v1/people/root/roles/administrator").status, 409);
  EXPECT_EQ(client.send("PATCH", "/api/v1/people/root", R"({"active":false})").status, 409);
  studio_.add_person("second", Role::administrator);
  EXPECT_EQ(client.send("DELETE", "/api/v1/people/root/roles/administrator").status, 200);
}

TEST_P(SignIn, SomebodyWithoutARoleSeesJustThat) {
  studio_.add_person("nobody", std::nullopt);
  Client client = studio_.signed_in("nobody");
  const Answer me = client.get("/api/v1/me");
  EXPECT_EQ(me.status, 200);
  EXPECT_TRUE(me.json()["permissions"][""].empty());
  EXPECT_EQ(client.get("/api/v1/people").status, 403);
  EXPECT_EQ(client.get("/api/v1/events/stream").status, 403);
}

// --- guests ---

class Guests : public SignIn {
 protected:
  // A link to an empty playlist of a show.
  Json make_link(bool can_comment = true) {
    const production::Caller local = app::local_caller(studio_.studio());
    db::Transaction tx(studio_.studio().database());
    const std::string show = new_uuid();
    const std::string playlist = new_uuid();
    tx->insert("shows", {{"id", show},
                         {"code", "show" + show.substr(30)},
                         {"name", "Show"},
                         {"root", "shows/x"},
                         {"settings", "{}"},
                         {"created_at", utc_now()}});
    tx->insert("playlists", {{"id", playlist},
                             {"show_id", show},
                             {"name", "Dailies"},
                             {"created_by", local.person_id},
                             {"created_at", utc_now()}});
    Json link = production::create_link(
        {tx, {local.person_id, "art-director"}},
        {.playlist_id = playlist, .show_id = show, .password = "for guests", .can_comment = can_comment});
    tx.commit();
    return link;
  }
};

INSTANTIATE_TEST_SUITE_P(Databases, Guests, testing::ValuesIn(db::test_backends()), [](const auto& each) {
  return each.param == db::Backend::sqlite ? "sqlite" : "postgresql";
});

TEST_P(Guests, OpenALinkWithItsPassword) {
  const Json link = make_link();
  const std::string path = "/api/v1/shared/" + link["token"].get<std::string>();
  Client client = studio_.client();
  EXPECT_EQ(client.get(path).status, 401);
  EXPECT_EQ(client.post(path + "/open", {{"password", "wrong one"}, {"name", "Guest"}}).status, 401);
  const Answer opened = client.post(path + "/open", {{"password", "for guests"}, {"name", "Guest é"}});
  ASSERT_EQ(opened.status, 201) << opened.body;
  client.keep(opened);
  const Json view = client.get(path).json();
  EXPECT_EQ(view["playlist"]["name"], "Dailies");
  EXPECT_EQ(view["guest"], "Guest é");
  EXPECT_EQ(client.get("/api/v1/me").status, 401) << "a guest is nobody elsewhere";
  EXPECT_EQ(client.get(path + "/takes/" + new_uuid() + "/picture").status, 404);

  // A ticket of one link is worth nothing at another one, and neither is a changed one.
  const std::string other = "/api/v1/shared/" + make_link()["token"].get<std::string>();
  EXPECT_EQ(client.get(other).status, 401);
  Client forger = client;
  forger.cookie.back() = forger.cookie.back() == '0' ? '1' : '0';
  EXPECT_EQ(forger.get(path).status, 401);

  execute("UPDATE share_links SET revoked_at = '2020-01-01T00:00:00.000Z'");
  EXPECT_EQ(client.get(path).status, 401);
  EXPECT_EQ(client.post(path + "/open", {{"password", "for guests"}, {"name", "Guest"}}).status, 404);
}

TEST_P(Guests, ReadWhatWasSaidAboutTheTakesOfTheirPlaylistAndNothingElse) {
  studio_.add_person("director", Role::administrator);
  Client director = studio_.signed_in("director");
  const auto ask = [&](std::string_view path, const Json& body) {
    const Answer answer = director.post("/api/v1" + std::string(path), body);
    EXPECT_LT(answer.status, 300) << path << ": " << answer.body;
    return answer.json();
  };
  ask("/shows", {{"code", "reel"}, {"name", "Reel"}});
  ask("/shows/reel/sequences", {{"code", "sq010"}});
  ask("/shows/reel/shots", {{"code", "sh010"}, {"parent", "sq010"}});
  ask("/entities/reel%2Fsq010%2Fsh010/tasks", {{"task_type", "background"}});
  const std::string task = "/api/v1/tasks/reel%2Fsq010%2Fsh010%3Abackground";
  std::vector<Json> takes;
  for (const char* title : {"shown", "kept back"}) {
    const Answer filed =
        director.send("POST", task + "/takes?origin=imported&title=" + (takes.empty() ? "a" : "b"),
                      read_text_file("tests/golden/networks/clip_vision/picture.png").take(),
                      "Content-Type: image/png\r\n");
    ASSERT_EQ(filed.status, 201) << title << filed.body;
    takes.push_back(filed.json());
  }
  const Json playlist =
      ask("/shows/reel/playlists", {{"name", "For the client"}, {"takes", Json::array({takes[0]["id"]})}});
  const Json link = ask("/playlists/" + playlist["id"].get<std::string>() + "/links",
                        {{"password", "for guests"}, {"can_comment", true}});
  const std::string comments = "/tasks/reel%2Fsq010%2Fsh010%3Abackground/comments";
  ask(comments, {{"text", "warmer, please"}, {"take", takes[0]["id"]}});
  ask(comments, {{"text", "of the other take"}, {"take", takes[1]["id"]}});
  ask(comments, {{"text", "of the whole task"}});

  Client guest = studio_.client();
  const std::string path = "/api/v1/shared/" + link["token"].get<std::string>();
  const auto said_about = [&](const Json& take) {
    return guest.get(path + "/takes/" + take["id"].get<std::string>() + "/comments");
  };
  EXPECT_EQ(said_about(takes[0]).status, 401) << "the password comes first";
  guest.keep(guest.post(path + "/open", {{"password", "for guests"}, {"name", "Client"}}));
  EXPECT_EQ(guest.get(path).json()["takes"][0]["reference"], "reel/sq010/sh010:background/v001/t01");
  EXPECT_EQ(guest
                .post(path + "/takes/" + takes[0]["id"].get<std::string>() + "/comments",
                      {{"text", "lovely"},
                       {"drawing",
                        {{{"kind", "rect"},
                          {"points", {{0.1, 0.1}, {0.4, 0.3}}},
                          {"color", "#ff0000"},
                          {"width", 0.01}}}}})
                .status,
            201);
  const Json said = said_about(takes[0]).json()["items"];
  ASSERT_EQ(said.size(), 2u) << said;
  EXPECT_EQ(said[0]["text"], "warmer, please");
  EXPECT_EQ(said[0]["author"], "director");
  EXPECT_EQ(said[0]["drawing"], Json::array());
  EXPECT_EQ(said[1]["author"], "Client");
  EXPECT_TRUE(said[1]["is_guest"].get<bool>());
  EXPECT_EQ(said[1]["drawing"][0]["kind"], "rect");
  EXPECT_EQ(said_about(takes[1]).status, 404) << "not in the playlist";
}

TEST_P(Guests, ALinkEnds) {
  const Json link = make_link();
  const std::string path = "/api/v1/shared/" + link["token"].get<std::string>();
  Client client = studio_.client();
  client.keep(client.post(path + "/open", {{"password", "for guests"}, {"name", "Guest"}}));
  ASSERT_EQ(client.get(path).status, 200);
  execute("UPDATE share_links SET expires_at = '2020-01-01T00:00:00.000Z'");
  EXPECT_EQ(client.get(path).status, 401);
}

TEST_P(Guests, CannotGuessTheLinksPassword) {
  const std::string path = "/api/v1/shared/" + make_link()["token"].get<std::string>();
  Client client = studio_.client();
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(
        client.post(path + "/open", {{"password", fmt::format("guess {}", i)}, {"name", "Guest"}}).status,
        401);
  EXPECT_EQ(client.post(path + "/open", {{"password", "for guests"}, {"name", "Guest"}}).status, 429);
}

// --- one user ---

TEST(SingleUser, NeedsNoSignInButTheToken) {
  TestStudio studio(db::Backend::sqlite, {.api = {.single_user = true}});
  Client client = studio.client();
  const Json me = client.get("/api/v1/me").json();
  EXPECT_TRUE(me["single_user"].get<bool>());
  EXPECT_EQ(client.send("PATCH", "/api/v1/me", R"({"language":"fr"})").status, 403);
  client.csrf = me["csrf"].get<std::string>();
  EXPECT_EQ(client.send("PATCH", "/api/v1/me", R"({"language":"fr"})").status, 200);
  client.host = "rebind.example";
  EXPECT_EQ(client.get("/api/v1/me").status, 403);
}

TEST(SingleUser, IsForThisMachineOnly) {
  EXPECT_THROW(TestStudio(db::Backend::sqlite, {.http = {.host = "0.0.0.0"}, .api = {.single_user = true}}),
               Error);
}

}  // namespace
}  // namespace maquette::server
