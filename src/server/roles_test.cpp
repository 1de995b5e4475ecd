// Who may do what, asked of the server: every operation by every role, from another show, with every scope of
// a token, and by guests.
#include <gtest/gtest.h>
#include <set>

#include "server/test_story.h"

namespace maquette::server {
namespace {

using app::Operation;
using production::Action;
using production::Role;

class Roles : public testing::TestWithParam<db::Backend> {
 protected:
  Story story_{GetParam()};

  std::string show_id(const std::string& code) {
    return production::find_show(*story_.studio().studio().database().connect(), code).text("id");
  }
};

INSTANTIATE_TEST_SUITE_P(Databases, Roles, testing::ValuesIn(db::test_backends()), [](const auto& each) {
  return each.param == db::Backend::sqlite ? "sqlite" : "postgresql";
});

// Refused by the table of roles, and for no other reason.
bool is_refused(const Answer& answer) {
  return answer.status == 403 && answer.json()["error"]["fields"].contains("action");
}

// Everything of the story belongs to somebody else.
Action action_of(const Operation& operation) { return operation.others.value_or(operation.action); }

TEST_P(Roles, DoInAShowWhatTheTableSays) {
  for (const Role role : production::all_roles()) {
    const std::string login(production::name(role));
    story_.studio().add_person(login, role);
    Client client = story_.studio().signed_in(login);
    for (const Operation& operation : app::operations()) {
      const Answer answer = story_.ask(client, operation.name);
      EXPECT_LT(answer.status, 500) << login << " " << operation.name << " " << answer.body;
      EXPECT_EQ(!is_refused(answer), production::may(role, action_of(operation)))
          << login << " " << operation.name << " " << answer.status << " " << answer.body;
    }
  }
}

TEST_P(Roles, NobodyWithoutASessionDoesAnything) {
  Client nobody = story_.studio().client();
  Client guest = story_.studio().client();
  guest.keep(guest.post("/api/v1/shared/" + story_.link_token() + "/open",
                        {{"password", "for guests"}, {"name", "Guest"}}));
  for (const Operation& operation : app::operations()) {
    EXPECT_EQ(story_.ask(nobody, operation.name).status, 401) << operation.name;
    EXPECT_EQ(story_.ask(guest, operation.name).status, 401) << operation.name << " as a guest";
  }
}

// Of one's own, or of the whole studio, and of no show.
bool is_of_no_show(const Operation& operation) {
  static const std::set<std::string_view> names = {
      "me info",   "me update", "me password", "token list",       "token create",  "token revoke",
      "user list", "user info", "role list",   "library samplers", "library tokens"};
  return names.contains(operation.name);
}

// The arguments with other names and ids in place of those of the show "lanterns".
Json with_unknown_names(Json arguments) {
  for (auto& [name, value] : arguments.items()) {
    if (!value.is_string()) continue;
    const std::string text = value;
    if (text.starts_with("lanterns")) value = "lanterna" + text.substr(8);
    if (is_uuid(text)) value = "019a1f0c-7f6e-7000-8000-000000000000";
  }
  return arguments;
}

std::string without_names(std::string body, const Json& arguments) {
  for (const auto& [name, value] : arguments.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    for (size_t at; !text.empty() && (at = body.find(text)) != body.npos;) body.erase(at, text.size());
  }
  for (const std::string_view show : {"lanterns", "lanterna"}) {
    if (const size_t at = body.find(show); at != body.npos) body.erase(at, show.size());
  }
  return body;
}

TEST_P(Roles, OfOneShowAreNothingInAnother) {
  story_.make("show create", {{"code", "other"}});
  story_.studio().add_person("visitor", std::nullopt);
  story_.studio().give_all_roles("visitor", show_id("other"));
  Client visitor = story_.studio().signed_in("visitor");
  for (const Operation& operation : app::operations()) {
    Json changed = Json::object();
    for (const app::Parameter& parameter : operation.parameters) {
      if (parameter.name == "show" && parameter.place == app::Place::query) changed["show"] = "lanterns";
    }
    const Answer answer = story_.ask(visitor, operation.name, changed);
    EXPECT_EQ(answer.body.find(kSecret), std::string::npos) << operation.name << " " << answer.body;
    if (operation.name == "show list") {
      EXPECT_EQ(answer.json()["items"].size(), 1u);
    } else if (is_of_no_show(operation)) {
      EXPECT_FALSE(is_refused(answer)) << operation.name << " " << answer.body;
    } else if (Json asked = story_.arguments(operation);
               !changed.empty() || with_unknown_names(asked) != asked) {
      // What is there and what is not are answered in the same words.
      asked.update(changed);
      const Json unknown = with_unknown_names(asked);
      EXPECT_EQ(answer.status, 404) << operation.name << " " << answer.body;
      EXPECT_EQ(without_names(answer.body, asked),
                without_names(story_.ask(visitor, operation.name, unknown).body, unknown))
          << operation.name;
    } else {
      EXPECT_TRUE(is_refused(answer)) << operation.name << " " << answer.status << " " << answer.body;
    }
    if (changed.empty() || operation.method != "GET") continue;
    // Without a show, all of them are meant.
    EXPECT_TRUE(is_refused(story_.ask(visitor, operation.name))) << operation.name;
  }
  EXPECT_FALSE(std::filesystem::exists(story_.studio().studio().folder() / "backups"));
  const auto listen = [&](const std::string& show) {
    const Answer answer = visitor.get("/api/v1/events/stream?show=" + show);
    EXPECT_EQ(answer.status, 404) << answer.body;
    return without_names(answer.body, {{"show", show}});
  };
  EXPECT_EQ(listen("lanterns"), listen("lanterna"));
  // Below a show that is not seen, and of another kind than it is.
  for (const std::string show : {"lanterns", "lanterna"}) {
    for (const char* path : {"/api/v1/entities/{}%2Fnothing", "/api/v1/takes/{}%2Fnothing",
                             "/api/v1/tasks/{}%2Fsq010", "/api/v1/tasks/{}%2Fsq010%2Fsh020:nothing"}) {
      const Answer answer = visitor.get(fmt::format(fmt::runtime(path), show));
      EXPECT_EQ(answer.json()["error"]["what"], fmt::format("there is no show \"{}\"", show)) << path;
    }
  }
}

// Whoever is in the show sees what is there, and hears why an action is not for them.
TEST_P(Roles, OfTheShowAreToldWhatTheyMayNotDo) {
  story_.studio().add_person("watcher", std::nullopt);
  {
    db::Transaction tx(story_.studio().studio().database());
    production::give_role({tx, {"", "program"}}, production::find_person(*tx, "watcher"), show_id("lanterns"),
                          Role::artist);
    tx.commit();
  }
  Client watcher = story_.studio().signed_in("watcher");
  EXPECT_EQ(story_.ask(watcher, "take info").status, 200);
  EXPECT_TRUE(is_refused(story_.ask(watcher, "take approve")));
  EXPECT_EQ(watcher.get("/api/v1/entities/lanterns%2Fnothing").json()["error"]["what"],
            "there is no shot or asset \"lanterns/nothing\"");
}

// What lies in another show cannot be brought into one's own by naming it.
TEST_P(Roles, OfOneShowCannotUseThingsOfAnother) {
  story_.make("show create", {{"code", "other"}});
  story_.studio().add_person("visitor", std::nullopt);
  story_.studio().give_all_roles("visitor", show_id("other"));
  Client visitor = story_.studio().signed_in("visitor");
  const auto done = [&](std::string_view name, const Json& changed) {
    const Answer answer = story_.ask(visitor, name, changed);
    EXPECT_EQ(answer.status / 100, 2) << name << " " << answer.body;
    return answer.json();
  };
  done("shot create", {{"show", "other"}, {"code", "sh1"}});
  done("task create", {{"entity", "other/sh1"}, {"task_type", "background"}});
  done("take import", {{"task", "other/sh1:background"}});
  const std::string task = "other/sh1:background", take = task + "/v001/t01";
  const std::string foreign = "lanterns/sq010/sh020:background/v001/t01";
  const Json lanterns = story_.make("take info", Json::object());
  const std::string id = lanterns["id"], sha256 = lanterns["sha256"];
  const std::vector<std::pair<std::string_view, Json>> attempts = {
      {"task reference-add", {{"task", task}, {"sha256", sha256}}},
      {"take file-add", {{"take", take}, {"sha256", sha256}}},
      {"take import", {{"task", task}, {"parent", id}}},
      {"take prove", {{"take", take}, {"parent", foreign}}},
      {"take prove", {{"take", take}, {"parent", take}, {"mask", sha256}}},
      {"take diff", {{"take", take}, {"other", id}}},
      {"comment create", {{"task", task}, {"take", id}}},
      {"playlist create", {{"show", "other"}, {"takes", {id}}}},
      {"deliver", {{"show", "other"}, {"takes", {id}}}},
      {"cast set", {{"entity", "other/sh1"}, {"asset", "lanterns/lamp"}}},
      {"shot create", {{"show", "other"}, {"code", "sh2"}, {"parent", "lanterns/sq010"}}},
      {"file get", {{"show", "other"}, {"sha256", sha256}}},
      {"job create", {{"task", task}, {"parent", id}}},
      {"job create", {{"task", task}, {"recipe", {{"model", "starter"}, {"init", "sha256:" + sha256}}}}},
      {"role give", {{"person", "visitor"}, {"role", "artist"}, {"show", "lanterns"}}},
      {"status update", {{"show", "lanterns"}, {"status", "wip"}}},
  };
  for (const auto& [name, changed] : attempts) {
    const Answer answer = story_.ask(visitor, name, changed);
    EXPECT_EQ(answer.status / 100, 4) << name << " " << answer.body;
    EXPECT_EQ(answer.body.find(kSecret), std::string::npos) << name;
  }
  // What is not found is not answered with what others have.
  for (const char* path : {"/api/v1/shows/lanternz", "/api/v1/entities/lanterns%2Fnothing",
                           "/api/v1/tasks/lanterns%2Fsq010%2Fsh020:nothing"}) {
    const Answer answer = visitor.get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_TRUE(answer.json()["error"]["fields"].empty()) << answer.body;
  }
  EXPECT_EQ(done("task list", {{"show", "other"}})["items"].size(), 1u);
}

TEST_P(Roles, AreThoseOfTheScopeForATokenOfAll) {
  Client& root = story_.root();
  const auto with_scopes = [&](const std::set<Action>& scope) {
    Json names = Json::array();
    for (const Action action : scope) names.push_back(production::name(action));
    const Answer made = root.post("/api/v1/api-tokens", {{"name", "scoped"}, {"scopes", names}});
    return Client{.port = root.port, .bearer = made.json().value("token", "")};
  };
  std::map<std::string, std::vector<const Operation*>> by_action;
  for (const Operation& operation : app::operations())
    by_action[std::string(production::name(action_of(operation)))].push_back(&operation);
  const std::set<Action> all(production::all_actions().begin(), production::all_actions().end());
  for (const auto& [name, operations] : by_action) {
    std::set<Action> own = {production::action_named(name)}, others = all;
    for (const Operation* operation : operations) {
      own.insert(operation->action);
      others.erase(operation->action);
      others.erase(action_of(*operation));
    }
    Client narrow = with_scopes(own), wide = with_scopes(others);
    for (const Operation* operation : operations) {
      if (operation->name == "me info" || operation->name == "me password") continue;  // below
      const Answer allowed = story_.ask(narrow, operation->name);
      EXPECT_FALSE(is_refused(allowed)) << operation->name << " " << allowed.body;
      EXPECT_LT(allowed.status, 500) << operation->name << " " << allowed.body;
      EXPECT_TRUE(is_refused(story_.ask(wide, operation->name))) << operation->name;
    }
  }
  // Every token may ask what it is; none changes the password.
  Client token = with_scopes({Action::show_read});
  EXPECT_EQ(story_.ask(token, "me info").status, 200);
  Client wide = with_scopes(all);
  EXPECT_EQ(story_.ask(wide, "me password", {{"old", kTestPassword}}).status, 403);
}

TEST_P(Roles, MayDoWithTheirOwnWhatTheyMayNotWithThatOfOthers) {
  story_.studio().add_person("mila", Role::artist);
  story_.studio().add_person("paul", Role::producer);
  Client artist = story_.studio().signed_in("mila"), producer = story_.studio().signed_in("paul");
  EXPECT_TRUE(is_refused(story_.ask(artist, "take withdraw")));
  const Json own = story_.ask(artist, "take import").json();
  EXPECT_EQ(story_.ask(artist, "take withdraw", {{"take", own["id"]}}).status, 200);
  EXPECT_EQ(story_.ask(artist, "take restore", {{"take", own["id"]}}).status, 200);
  EXPECT_EQ(story_.ask(producer, "take withdraw", {{"take", own["id"]}}).status, 200);

  EXPECT_TRUE(is_refused(story_.ask(artist, "job cancel")));
  const Json job = story_.ask(artist, "job create").json();
  EXPECT_EQ(story_.ask(artist, "job cancel", {{"job", job["id"]}}).status, 200);
  EXPECT_EQ(story_.ask(artist, "job retry", {{"job", job["id"]}}).status, 200);
  EXPECT_EQ(story_.ask(producer, "job cancel", {{"job", job["id"]}}).status, 200);
  EXPECT_TRUE(is_refused(story_.ask(artist, "job priority", {{"job", job["id"]}}))) << "not even one's own";
}

// Roles of one show are enough for one's own account.
TEST_P(Roles, OfOneShowOwnTheirAccount) {
  story_.studio().add_person("guestartist", std::nullopt);
  {
    db::Transaction tx(story_.studio().studio().database());
    production::give_role({tx, {"", "program"}}, production::find_person(*tx, "guestartist"),
                          show_id("lanterns"), Role::artist);
    tx.commit();
  }
  Client client = story_.studio().signed_in("guestartist");
  EXPECT_EQ(story_.ask(client, "me update", {{"language", "fr"}}).json()["person"]["language"], "fr");
  EXPECT_EQ(story_.ask(client, "token create").status, 201);
  EXPECT_EQ(story_.ask(client, "board").status, 200);
}

TEST_P(Roles, GuestsLookAndCommentAndNothingElse) {
  Client guest = story_.studio().client();
  const std::string path = "/api/v1/shared/" + story_.link_token();
  guest.keep(guest.post(path + "/open", {{"password", "for guests"}, {"name", "Guest"}}));
  const std::string take = path + "/takes/" + guest.get(path).json()["takes"][0]["id"].get<std::string>();
  EXPECT_EQ(guest.get(path).body.find("prompt"), std::string::npos);
  // A status, a mark or an approval beside the text is no part of a comment.
  EXPECT_EQ(guest.post(take + "/comments", {{"text", "fine"}, {"status", "done"}}).status, 400);
  EXPECT_EQ(guest.post(take + "/comments", {{"text", "fine"}}).status, 201);
  EXPECT_EQ(story_.make("task info", Json::object())["status"]["code"], "todo");
  for (const char* what : {"/approve", "/mark", "/withdraw", "/annotations", "/recipe", ""})
    EXPECT_EQ(guest.post(take + what, Json::object()).status, 404) << what;
  // The other take of the task is not in the playlist.
  const Json other = story_.make("take info", {{"take", "lanterns/sq010/sh020:background/v001/t02"}});
  EXPECT_EQ(guest.get(path + "/takes/" + other["id"].get<std::string>() + "/picture").status, 404);
}

}  // namespace
}  // namespace maquette::server
