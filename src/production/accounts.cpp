#include "production/accounts.h"

#include <algorithm>

#include "base/identifiers.h"
#include "base/password.h"
#include "base/text.h"
#include "production/references.h"

namespace maquette::production {

namespace {

constexpr size_t kShortestPassword = 10;
constexpr size_t kLongestPassword = 512;
constexpr std::string_view kFirstLogin = "admin";

void require_login(std::string_view login) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '@';
  };
  if (!login.empty() && login.size() <= 100 && std::ranges::all_of(login, fits)) return;
  throw Error(ErrorCode::usage, "cannot use this login")
      .with("found", login.substr(0, 80))
      .with("expected", "letters, digits, \"-\", \"_\", \".\" and \"@\", at most 100");
}

void require_email(std::string_view email) {
  const size_t at = email.find('@');
  const auto is_odd = [](char c) { return static_cast<unsigned char>(c) <= 32 || c == 127; };
  if (email.empty() || (at > 0 && at != email.npos && at + 1 < email.size() && email.size() <= 254 &&
                        std::ranges::none_of(email, is_odd)))
    return;
  throw Error(ErrorCode::usage, "this is no e-mail address").with("expected", "name@host");
}

void require_language(std::string_view language) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'; };
  if (language.size() <= 16 && std::ranges::all_of(language, fits)) return;
  throw Error(ErrorCode::usage, "cannot use this language")
      .with("found", language.substr(0, 80))
      .with("expected", "a tag like en, fr or fr-CA");
}

// Nobody else may sign in and administer every show.
bool is_last_administrator(const Change& change, const std::string& person_id) {
  const auto count = [&](std::string_view whose) {
    return change
        ->first(
            fmt::format(
                "SELECT count(*) AS n FROM people p JOIN person_roles r ON r.person_id = p.id WHERE "
                "r.show_id = '' AND r.role = 'administrator' AND p.active = 1 AND p.password <> '' AND p.id "
                "{} :id",
                whose),
            {{"id", person_id}})
        ->integer("n");
  };
  return count("=") > 0 && count("<>") == 0;
}

void require_another_administrator(const Change& change, const std::string& person_id) {
  // Two such changes at once must not each see the other's person.
  change.tx.take_turn();
  if (!is_last_administrator(change, person_id)) return;
  throw Error(ErrorCode::conflict, "nobody would be left to administer the studio")
      .hint("make somebody else an administrator first");
}

}  // namespace

void require_password(std::string_view password, std::string_view login) {
  // Characters, not bytes: continuation bytes of UTF-8 do not count.
  const auto characters = std::ranges::count_if(password, [](char c) { return (c & 0xC0) != 0x80; });
  if (characters >= static_cast<ptrdiff_t>(kShortestPassword) && password.size() <= kLongestPassword &&
      lower_ascii(password) != login)
    return;
  throw Error(ErrorCode::usage, "cannot use this password")
      .with("found", fmt::format("{} characters", characters))
      .with("expected",
            fmt::format("{} to {} characters, not the login", kShortestPassword, kLongestPassword));
}

std::string create_person(const Change& change, const NewPerson& person) {
  const std::string login = lower_ascii(person.login);
  require_login(login);
  require_name(person.name, "a person");
  require_email(person.email);
  require_language(person.language);
  if (!person.password.empty()) require_password(person.password, login);
  if (change->first("SELECT id FROM people WHERE login = :login", {{"login", login}}))
    throw Error(ErrorCode::conflict, "there is a person \"{}\" already", login);
  const std::string id = new_uuid();
  change->insert("people", {{"id", id},
                            {"login", login},
                            {"name", person.name},
                            {"email", person.email},
                            {"language", person.language},
                            {"password", person.password.empty() ? "" : hash_password(person.password)},
                            {"must_change_password", int64_t{person.must_change_password}},
                            {"created_at", utc_now()}});
  change.log({.action = "person:create", .subject_kind = "person", .subject_id = id});
  return id;
}

void change_person(const Change& change, const db::Row& given, const PersonChange& wanted,
                   const std::optional<int64_t>& seen) {
  const std::string id = given.text("id");
  change.tx.lock_row("people", id);
  const db::Row person = change->first("SELECT * FROM people WHERE id = :id", {{"id", id}}).value();
  require_version(person, seen);
  db::Bindings columns;
  Json fields = Json::array();
  const auto set = [&](std::string_view column, db::Value value) {
    columns.push_back({column, std::move(value)});
    fields.push_back(column);
  };
  if (wanted.name) {
    require_name(*wanted.name, "a person");
    set("name", *wanted.name);
  }
  if (wanted.email) {
    require_email(*wanted.email);
    set("email", *wanted.email);
  }
  if (wanted.language) {
    require_language(*wanted.language);
    set("language", *wanted.language);
  }
  if (wanted.password) {
    require_password(*wanted.password, person.text("login"));
    set("password", hash_password(*wanted.password));
    columns.push_back({"must_change_password", int64_t{wanted.must_change_password}});
  }
  if (wanted.active) {
    if (!*wanted.active) require_another_administrator(change, id);
    set("active", int64_t{*wanted.active});
  }
  if (columns.empty()) return;
  columns.push_back({"version", person.integer("version") + 1});
  change->update("people", columns, {"id", id});
  if (wanted.password || (wanted.active && !*wanted.active))
    change->execute("DELETE FROM sessions WHERE person_id = :id", {{"id", id}});
  Json after = {{"fields", fields}};
  if (wanted.active) after["active"] = *wanted.active;
  change.log({.action = "person:change", .subject_kind = "person", .subject_id = id, .after = after});
}

void give_role(const Change& change, const db::Row& person, const std::string& show_id, Role role) {
  const std::string id = person.text("id");
  change.tx.lock_row("people", id);
  const db::Bindings line = {{"person_id", id}, {"show_id", show_id}, {"role", std::string(name(role))}};
  const int64_t added = change->execute(
      "INSERT INTO person_roles (person_id, show_id, role) VALUES (:person_id, :show_id, :role) ON CONFLICT "
      "DO NOTHING",
      line);
  if (added == 0) return;
  change->execute("UPDATE people SET version = version + 1 WHERE id = :id", {{"id", id}});
  change.log({.action = "person:give-role",
              .subject_kind = "person",
              .subject_id = id,
              .show_id = show_id,
              .after = {{"role", name(role)}}});
}

void withdraw_role(const Change& change, const db::Row& person, const std::string& show_id, Role role) {
  const std::string id = person.text("id");
  if (role == Role::administrator && show_id.empty()) require_another_administrator(change, id);
  change.tx.lock_row("people", id);
  const int64_t removed = change->execute(
      "DELETE FROM person_roles WHERE person_id = :person AND show_id = :show AND role = :role",
      {{"person", id}, {"show", show_id}, {"role", std::string(name(role))}});
  if (removed == 0) return;
  change->execute("UPDATE people SET version = version + 1 WHERE id = :id", {{"id", id}});
  change.log({.action = "person:withdraw-role",
              .subject_kind = "person",
              .subject_id = id,
              .show_id = show_id,
              .before = {{"role", name(role)}}});
}

Caller caller_of(db::Connection& c, const db::Row& person) {
  Caller caller{.person_id = person.text("id"), .login = person.text("login"), .name = person.text("name")};
  for (const db::Row& row :
       c.query("SELECT show_id, role FROM person_roles WHERE person_id = :id", {{"id", caller.person_id}})) {
    caller.roles[row.text("show_id")].insert(role_named(row.text("role")));
  }
  return caller;
}

// --- documents ---

Json roles_document(const Caller& caller) {
  Json document = Json::object();
  for (const auto& [show, roles] : caller.roles) {
    Json names = Json::array();
    for (const Role role : roles) names.push_back(name(role));
    document[show] = names;
  }
  return document;
}

Json permissions_document(const Caller& caller) {
  Json document = {{"", Json::array()}};
  for (const auto& [show, roles] : caller.roles) {
    Json names = Json::array();
    for (const Action action : all_actions()) {
      if (caller.role_for(action, show)) names.push_back(name(action));
    }
    document[show] = names;
  }
  return document;
}

Json person_document(db::Connection& c, const db::Row& person, bool whole) {
  Json document = {{"id", person.text("id")},         {"login", person.text("login")},
                   {"name", person.text("name")},     {"language", person.text("language")},
                   {"active", person.flag("active")}, {"roles", roles_document(caller_of(c, person))}};
  if (whole) {
    document["email"] = person.text("email");
    document["must_change_password"] = person.flag("must_change_password");
    document["created_at"] = person.text("created_at");
  }
  document["version"] = person.integer("version");
  return document;
}

Page people(db::Connection& c, const PeopleQuery& query, const PageQuery& page) {
  Conditions conditions;
  if (!query.inactive_too) conditions.add("active = 1");
  if (!page.after.empty()) conditions.add("login > :after", "after", page.after);
  if (!query.search.empty()) {
    conditions.add("login || ' ' || lower(name) LIKE :search ESCAPE '!'", "search",
                   contains_pattern(lower_ascii(query.search)));
  }
  const std::vector<db::Row> rows =
      c.query(fmt::format("SELECT * FROM people{} ORDER BY login LIMIT :limit", conditions.where()),
              conditions.bindings(page));
  return page_of(rows, page, "login",
                 [&](const db::Row& row) { return person_document(c, row, query.whole); });
}

// --- the first start ---

std::optional<std::string> make_first_administrator(db::Database& database) {
  db::Transaction tx(database);
  const Change change{tx, {"", "program"}};
  tx.take_turn();
  const auto able = change->first(
      "SELECT p.id FROM people p JOIN person_roles r ON r.person_id = p.id WHERE r.show_id = '' AND r.role = "
      "'administrator' AND p.active = 1 AND p.password <> '' LIMIT 1");
  if (able) return std::nullopt;
  const std::string password = base64url(random_bytes(15));
  auto person =
      change->first("SELECT * FROM people WHERE login = :login", {{"login", std::string(kFirstLogin)}});
  if (person) {
    change_person(change, *person, {.password = password, .active = true, .must_change_password = true}, {});
  } else {
    const std::string id = create_person(change, {.login = std::string(kFirstLogin),
                                                  .name = "Administrator",
                                                  .password = password,
                                                  .must_change_password = true});
    person = change->first("SELECT * FROM people WHERE id = :id", {{"id", id}});
  }
  give_role(change, *person, "", Role::administrator);
  tx.commit();
  return password;
}

}  // namespace maquette::production
