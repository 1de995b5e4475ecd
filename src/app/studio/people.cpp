#include "app/studio/people.h"

#include "app/studio/operations.h"
#include "base/text.h"
#include "production/accounts.h"
#include "production/accounts_sessions.h"
#include "production/references.h"

namespace maquette::app {

using production::Action;
using production::Change;

namespace {

db::Row own_row(db::Connection& c, const production::Caller& caller) {
  return production::find_person(c, caller.person_id);
}

Change change_of(db::Transaction& tx, const Call& call, production::Role role) {
  return {tx, {call.caller.person_id, std::string(name(role))}};
}

production::PageQuery page_query(const Call& call) {
  const int64_t limit = call.integer("limit", 50);
  if (limit < 1 || limit > 500)
    throw Error(ErrorCode::usage, "cannot use the limit {}", limit).with("expected", "1 to 500");
  return {.after = call.text("after"), .limit = static_cast<int>(limit)};
}

// --- oneself ---

// Roles of one show own their account and its tokens, too: a token has no more rights than its person.
Change own_change(db::Transaction& tx, const Call& call) { return {tx, {call.caller.person_id, "person"}}; }

Reply me_show(Call& call) {
  Json document = session_document(call.studio, call.caller);
  const int64_t version = document["version"];
  return {.body = std::move(document), .version = version};
}

Reply me_change(Call& call) {
  {
    db::Transaction tx(call.studio.database());
    production::change_person(
        own_change(tx, call), own_row(*tx, call.caller),
        {.name = call.optional_text("name"), .language = call.optional_text("language")}, call.if_match);
    tx.commit();
  }
  return me_show(call);
}

Reply me_password(Call& call) {
  // A stolen token of few rights must not become the whole account.
  if (!call.caller.scope.empty()) throw Error(ErrorCode::refused, "an API token cannot change the password");
  production::require_own_password(call.studio.database(), call.caller.person_id, call.text("old"),
                                   call.address);
  if (call.text("old") == call.text("new"))
    throw Error(ErrorCode::usage, "the new password is the old one").hint("choose another one");
  {
    db::Transaction tx(call.studio.database());
    const Change change{tx, {call.caller.person_id, "person"}};
    production::change_person(change, own_row(*tx, call.caller), {.password = call.text("new")}, {});
    tx.commit();
  }
  return me_show(call);
}

Reply token_list(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return {.body = {{"items", production::api_tokens(*c, call.caller.person_id)}, {"next", nullptr}}};
}

Reply token_create(Call& call) {
  db::Transaction tx(call.studio.database());
  Json document = production::create_api_token(
      own_change(tx, call), call.caller,
      {.name = call.text("name"), .scopes = call.list("scopes"), .expires_at = call.text("expires_at")});
  tx.commit();
  return {.body = std::move(document), .created = true};
}

Reply token_revoke(Call& call) {
  db::Transaction tx(call.studio.database());
  production::revoke_api_token(own_change(tx, call), call.caller.person_id, call.text("id"));
  tx.commit();
  return {.body = {{"id", call.text("id")}, {"revoked", true}}};
}

// --- everybody ---

bool sees_whole(const Call& call) { return call.caller.role_for(Action::person_edit, "").has_value(); }

Reply person_reply(Call& call, const std::string& id, bool created = false) {
  const db::Lease c = call.studio.database().connect();
  const db::Row row = production::find_person(*c, id);
  return {.body = production::person_document(*c, row, sees_whole(call)),
          .version = row.integer("version"),
          .created = created};
}

Reply user_list(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return {.body = production::people(*c,
                                     {.search = call.text("search"),
                                      .inactive_too = call.flag("inactive"),
                                      .whole = sees_whole(call)},
                                     page_query(call))
                      .document()};
}

// Roles are given as {"show or nothing": [roles]}.
void give_roles(const Change& change, const std::string& id, const Json& roles) {
  const db::Row row = production::find_person(*change, id);
  for (const auto& [show, names] : roles.items()) {
    const std::string show_id = show.empty() ? "" : production::find_show(*change, show).text("id");
    if (!names.is_array())
      throw Error(ErrorCode::usage, "cannot use the roles").with("expected", "{{\"\": [\"artist\"]}}");
    for (const Json& each : names) {
      if (!each.is_string())
        throw Error(ErrorCode::usage, "cannot use the roles").with("expected", "names of roles");
      production::give_role(change, row, show_id, production::role_named(each.get<std::string>()));
    }
  }
}

Reply user_create(Call& call) {
  const production::Role role = production::require(call.caller, Action::person_edit, "");
  std::string id;
  {
    db::Transaction tx(call.studio.database());
    const Change change = change_of(tx, call, role);
    id = production::create_person(change, {.login = call.text("login"),
                                            .name = call.text("name", call.text("login")),
                                            .email = call.text("email"),
                                            .language = call.text("language"),
                                            .password = call.text("password"),
                                            .must_change_password = call.has("password")});
    if (call.has("roles"))
      give_roles(change, id, call.arguments["roles"].is_null() ? Json::object() : call.arguments["roles"]);
    tx.commit();
  }
  return person_reply(call, id, true);
}

Reply user_show(Call& call) { return person_reply(call, call.text("person")); }

Reply user_change(Call& call) {
  const production::Role role = production::require(call.caller, Action::person_edit, "");
  production::PersonChange wanted{.name = call.optional_text("name"),
                                  .email = call.optional_text("email"),
                                  .language = call.optional_text("language"),
                                  .password = call.optional_text("password"),
                                  .must_change_password = true};
  if (call.has("active") && !call.arguments["active"].is_null()) wanted.active = call.flag("active");
  {
    db::Transaction tx(call.studio.database());
    production::change_person(change_of(tx, call, role), production::find_person(*tx, call.text("person")),
                              wanted, call.if_match);
    tx.commit();
  }
  return person_reply(call, call.text("person"));
}

template <typename Act>
Reply change_role(Call& call, const Act& act) {
  {
    db::Transaction tx(call.studio.database());
    const std::string show = call.text("show");
    const std::string show_id = show.empty() ? "" : production::find_show(*tx, show).text("id");
    const production::Role by = production::require(call.caller, Action::person_edit, show_id);
    tx.lock_row("people", production::find_person(*tx, call.text("person")).text("id"));
    const db::Row person = production::find_person(*tx, call.text("person"));
    production::require_version(person, call.if_match);
    act(change_of(tx, call, by), person, show_id, production::role_named(call.text("role")));
    tx.commit();
  }
  return person_reply(call, call.text("person"));
}

Reply role_give(Call& call) { return change_role(call, production::give_role); }
Reply role_withdraw(Call& call) { return change_role(call, production::withdraw_role); }

Reply role_list(Call&) {
  Json roles = Json::array();
  Json actions = Json::array();
  Json table = Json::object();
  for (const production::Role role : production::all_roles()) roles.push_back(name(role));
  for (const Action action : production::all_actions()) {
    actions.push_back(name(action));
    Json allowed = Json::array();
    for (const production::Role role : production::all_roles()) {
      if (production::may(role, action)) allowed.push_back(name(role));
    }
    table[std::string(name(action))] = allowed;
  }
  return {.body = {{"roles", roles}, {"actions", actions}, {"table", table}}};
}

}  // namespace

Json session_document(Studio& studio, const production::Caller& caller) {
  const db::Lease c = studio.database().connect();
  const db::Row row = own_row(*c, caller);
  return {{"person",
           {{"id", row.text("id")},
            {"login", row.text("login")},
            {"name", row.text("name")},
            {"language", row.text("language")},
            {"must_change_password", row.flag("must_change_password")}}},
          {"roles", production::roles_document(caller)},
          {"permissions", production::permissions_document(caller)},
          {"version", row.integer("version")}};
}

production::Caller caller_named(Studio& studio, const std::string& login) {
  const db::Lease c = studio.database().connect();
  const db::Row row = production::find_person(*c, login);
  if (!row.flag("active")) throw Error(ErrorCode::refused, "\"{}\" is not active", login);
  return production::caller_of(*c, row);
}

std::optional<std::string> first_administrator(Studio& studio) {
  return production::make_first_administrator(studio.database());
}

namespace {

std::vector<Operation> account_operations() {
  const Parameter kPerson{"person", Place::path, Kind::text, "login or id", true};
  const Parameter kAfter{"after", Place::query, Kind::text, "cursor of the page before"};
  const Parameter kLimit{"limit", Place::query, Kind::integer, "lines of a page, at most 500 (default 50)"};
  return {
      {"me info",
       "GET",
       "/me",
       Action::token_own,
       "tell who one is here, and what one may do",
       "maquette me info",
       {},
       false,
       me_show},
      {"me update",
       "PATCH",
       "/me",
       Action::token_own,
       "change one's own name or language",
       "maquette me update --language fr",
       {{"name", Place::body, Kind::text, "as others see it"},
        {"language", Place::body, Kind::text, "of the page: en or fr"}},
       false,
       me_change},
      {"me password",
       "POST",
       "/me/change-password",
       Action::token_own,
       "change one's own password; ends all other sessions",
       "maquette me password --old - --new - < passwords.txt",
       {{"old", Place::body, Kind::text, "the password until now", true},
        {"new", Place::body, Kind::text, "at least 10 characters", true}},
       false,
       me_password},
      {"token list",
       "GET",
       "/api-tokens",
       Action::token_own,
       "list one's API tokens",
       "maquette token list",
       {},
       false,
       token_list},
      {"token create",
       "POST",
       "/api-tokens",
       Action::token_own,
       "make an API token, which is told once",
       "maquette token create render-farm --scopes take.generate --scopes show.read",
       {{"name", Place::body, Kind::text, "what it is for", true},
        {"scopes", Place::body, Kind::list, "actions that it allows (maquette role list), or *", true},
        {"expires_at", Place::body, Kind::text,
         "UTC, like 2027-01-31T00:00:00Z; never where it is left out"}},
       false,
       token_create},
      {"token revoke",
       "POST",
       "/api-tokens/{id}/revoke",
       Action::token_own,
       "end an API token",
       "maquette token revoke 019a1f0c-7f6e-7000-8000-000000000000",
       {{"id", Place::path, Kind::text, "of the token", true}},
       false,
       token_revoke},
      {"user list",
       "GET",
       "/people",
       Action::person_read,
       "list the people of the studio",
       "maquette user list --search ada",
       {{"search", Place::query, Kind::text, "part of the login or name"},
        {"inactive", Place::query, Kind::flag, "also those who may not sign in any more"},
        kAfter,
        kLimit},
       false,
       user_list},
      {"user create",
       "POST",
       "/people",
       Action::person_edit,
       "add a person",
       "maquette user create ada --name \"Ada\" --password - --roles '{\"\": [\"artist\"]}' < password.txt",
       {{"login", Place::body, Kind::text, "what they sign in with", true},
        {"name", Place::body, Kind::text, "as others see it (default: the login)"},
        {"email", Place::body, Kind::text, "address"},
        {"language", Place::body, Kind::text, "of the page: en or fr"},
        {"password", Place::body, Kind::text, "to be changed at the first sign-in; none: no sign-in yet"},
        {"roles", Place::body, Kind::object, "roles by show; \"\" is every show"}},
       false,
       user_create},
      {"user info",
       "GET",
       "/people/{person}",
       Action::person_read,
       "show one person and their roles",
       "maquette user info ada",
       {kPerson},
       false,
       user_show},
      {"user update",
       "PATCH",
       "/people/{person}",
       Action::person_edit,
       "change a person: name, address, password, whether they may sign in",
       "maquette user update ada --no-active",
       {kPerson,
        {"name", Place::body, Kind::text, "as others see it"},
        {"email", Place::body, Kind::text, "address"},
        {"language", Place::body, Kind::text, "of the page: en or fr"},
        {"password", Place::body, Kind::text,
         "a new one, to be changed at the next sign-in; ends their sessions"},
        {"active", Place::body, Kind::flag, "may sign in"}},
       false,
       user_change},
      {"role list",
       "GET",
       "/roles",
       Action::person_read,
       "show which role may do what",
       "maquette role list",
       {},
       false,
       role_list},
      {"role give",
       "PUT",
       "/people/{person}/roles/{role}",
       Action::person_edit,
       "give a person a role",
       "maquette role give ada art-director --show lanterns",
       {kPerson,
        {"role", Place::path, Kind::text, "name of the role", true},
        {"show", Place::query, Kind::text, "in this show only"}},
       false,
       role_give},
      {"role withdraw",
       "DELETE",
       "/people/{person}/roles/{role}",
       Action::person_edit,
       "take a role from a person",
       "maquette role withdraw ada artist",
       {kPerson,
        {"role", Place::path, Kind::text, "name of the role", true},
        {"show", Place::query, Kind::text, "the one of this show"}},
       false,
       role_withdraw},
  };
}

}  // namespace

std::vector<Operation> people_operations() {
  std::vector<Operation> all = account_operations();
  const std::vector<Operation> links = link_operations();
  all.insert(all.end(), links.begin(), links.end());
  return all;
}

}  // namespace maquette::app
