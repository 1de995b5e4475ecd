// Sessions and API tokens: how a person is known from one request to the next.
//
// The secrets are 256 random bits; the database keeps their SHA-256 only. A session ends 12 hours after its
// last use, and 7 days after it began.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error_kind.h"
#include "production/change.h"
#include "production/permissions.h"

namespace maquette::production {

// Who is not known here: the HTTP status is 401.
class NotSignedIn : public ErrorKind<NotSignedIn> {
 public:
  using ErrorKind::ErrorKind;
};

// The HTTP status is 429.
class TooManyAttempts : public ErrorKind<TooManyAttempts> {
 public:
  TooManyAttempts(int limit, std::chrono::system_clock::duration left);
  int seconds() const { return seconds_; }  // until the next attempt makes sense

 private:
  int seconds_;
};

struct NewSession {
  std::string token;  // for the cookie: told once
  std::string csrf;
  std::string person_id;
};

struct SignedIn {
  Caller caller;
  std::string csrf = {};  // empty: an API token, which needs none
  bool must_change_password = false;
};

// Counts attempts by login and by address before the password is looked at. Unknown logins take as long as
// wrong passwords. Throws NotSignedIn, TooManyAttempts.
NewSession sign_in(db::Database& database, const std::string& login, const std::string& password,
                   const std::string& address);
// A session for somebody whose password is known to be right: after it was changed.
NewSession open_session(db::Database& database, const std::string& person_id);
void sign_out(db::Database& database, std::string_view token);

// Nothing where there is no such session (any more), or the person is not active.
std::optional<SignedIn> find_session(db::Database& database, std::string_view token);
// Counts tokens that are none by address; throws TooManyAttempts above a hundred in a quarter of an hour.
std::optional<SignedIn> find_api_token(db::Database& database, std::string_view token,
                                       const std::string& address);

// Throws Error(refused) unless it is the person's password. Counts as an attempt to sign in.
void require_own_password(db::Database& database, const std::string& person_id, const std::string& password,
                          const std::string& address);

// --- API tokens ---

struct NewApiToken {
  std::string name;
  std::vector<std::string> scopes;  // names of actions, or "*"
  std::string expires_at = {};      // empty: never
};
// {id, name, scopes, expires_at, created_at, token}. A caller with a token of few scopes cannot make one with
// more.
Json create_api_token(const Change& change, const Caller& caller, const NewApiToken& wanted);
std::vector<Json> api_tokens(db::Connection& c, const std::string& person_id);
void revoke_api_token(const Change& change, const std::string& person_id, const std::string& id);

// --- attempts ---

// Notes an attempt on `what` (a login, a link) from an address; throws TooManyAttempts where there were too
// many failed ones in the last quarter of an hour. A success forgets those of the same address on the same
// thing.
void note_attempt(db::Database& database, const std::string& what, const std::string& address);
void forget_attempts(db::Transaction& tx, const std::string& what, const std::string& address);

}  // namespace maquette::production
