// Accounts: the people of a studio, their roles, and the first administrator.
//
// Events name people by their id and say which fields changed, never what they hold (provenance/event_log.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "production/change.h"
#include "production/permissions.h"

namespace maquette::production {

struct NewPerson {
  std::string login;  // of codes' letters and "@"; kept in lower case
  std::string name;
  std::string email = {};
  std::string language = {};
  std::string password = {};  // empty: no sign-in by password yet
  bool must_change_password = false;
};

// Returns the id. Throws Error(conflict) where the login exists.
std::string create_person(const Change& change, const NewPerson& person);

// What is set is changed. A new password ends all sessions of the person.
struct PersonChange {
  std::optional<std::string> name = {};
  std::optional<std::string> email = {};
  std::optional<std::string> language = {};
  std::optional<std::string> password = {};
  std::optional<bool> active = {};
  bool must_change_password = false;  // with a password that somebody else has set
};

// Throws Error(conflict) where the version that was seen is not the newest, or nobody would be left who
// administers the studio.
void change_person(const Change& change, const db::Row& person, const PersonChange& wanted,
                   const std::optional<int64_t>& seen);

// show_id empty: in every show. Giving what is there and taking what is not changes nothing.
void give_role(const Change& change, const db::Row& person, const std::string& show_id, Role role);
void withdraw_role(const Change& change, const db::Row& person, const std::string& show_id, Role role);

// Roles by show id as rules see them.
Caller caller_of(db::Connection& c, const db::Row& person);

// {id, login, name, language, active, roles{"": [..]}, version}; with `whole` also email,
// must_change_password, created_at.
Json person_document(db::Connection& c, const db::Row& person, bool whole);
// {"": ["artist"], "<show id>": [..]} and the actions that they allow, {"": ["take.file", ..], ..}.
Json roles_document(const Caller& caller);
Json permissions_document(const Caller& caller);

struct PeopleQuery {
  std::string search = {};  // in login and name
  bool inactive_too = false;
  bool whole = false;
};
Page people(db::Connection& c, const PeopleQuery& query, const PageQuery& page);

// Passwords: at least 10 characters, not the login. Throws Error(usage).
void require_password(std::string_view password, std::string_view login);

// Where nobody can sign in as an administrator: makes (or renews) the person "admin" with a password that
// must be changed at the first sign-in, and returns that password.
std::optional<std::string> make_first_administrator(db::Database& database);

}  // namespace maquette::production
