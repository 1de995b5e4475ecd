#include "production/accounts_sessions.h"

#include <algorithm>

#include "base/hash.h"
#include "base/identifiers.h"
#include "base/password.h"
#include "base/text.h"
#include "production/accounts.h"

namespace maquette::production {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::system_clock;

constexpr auto kIdleTime = 12h;
constexpr auto kLongestTime = 24h * 7;
constexpr auto kNoted = 1min;  // uses are written down at most this often

constexpr auto kAttemptWindow = 15min;
constexpr int kAttemptsOfLogin = 10;
constexpr int kAttemptsOfAddress = 30;
constexpr int kTokensOfAddress = 100;  // that are none
constexpr auto kAttemptsKept = 24h;

std::string new_secret() { return base64url(random_bytes(32)); }

std::optional<db::Row> person_row(db::Connection& c, const std::string& id) {
  return c.first("SELECT * FROM people WHERE id = :id", {{"id", id}});
}

// The begin of the event's name says what opened: "session:open".
void log_session(const Change& change, std::string_view action, const std::string& person_id) {
  change.log({.action = action, .subject_kind = "person", .subject_id = person_id});
}

NewSession insert_session(const Change& change, const std::string& person_id) {
  const Clock::time_point now = Clock::now();
  const NewSession session{.token = new_secret(), .csrf = new_secret(), .person_id = person_id};
  change->execute("DELETE FROM sessions WHERE expires_at <= :now", {{"now", utc_text(now)}});
  change->insert("sessions", {{"token_hash", sha256_hex(session.token)},
                              {"person_id", person_id},
                              {"csrf", session.csrf},
                              {"created_at", utc_text(now)},
                              {"seen_at", utc_text(now)},
                              {"expires_at", utc_text(now + kIdleTime)}});
  log_session(change, "session:open", person_id);
  return session;
}

// Keeps a session in use alive, without a write for every request.
void note_use(db::Database& database, const db::Row& session) {
  const Clock::time_point now = Clock::now();
  if (parse_utc(session.text("seen_at")) + kNoted > now) return;
  const Clock::time_point end =
      std::min(now + kIdleTime, parse_utc(session.text("created_at")) + kLongestTime);
  db::Transaction tx(database);
  tx->execute("UPDATE sessions SET seen_at = :now, expires_at = :expires WHERE token_hash = :hash",
              {{"now", utc_text(now)}, {"expires", utc_text(end)}, {"hash", session.text("token_hash")}});
  tx.commit();
}

}  // namespace

TooManyAttempts::TooManyAttempts(int limit, Clock::duration left)
    : ErrorKind(ErrorCode::refused, "too many attempts to sign in"),
      seconds_(static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(left).count()) + 1) {
  with("found", fmt::format("{} in {} minutes", limit, kAttemptWindow.count()));
  hint("wait {} minutes, then try again", (seconds_ + 59) / 60);
}

void note_attempt(db::Database& database, const std::string& what, const std::string& address) {
  const Clock::time_point now = Clock::now();
  db::Transaction tx(database);
  tx.take_turn();  // attempts side by side are counted one after the other
  tx->execute("DELETE FROM sign_in_attempts WHERE at < :old", {{"old", utc_text(now - kAttemptsKept)}});
  const auto refuse_above = [&](std::string_view column, const std::string& value, int limit) {
    const auto row = tx->first(
        fmt::format("SELECT count(*) AS n, min(at) AS first FROM sign_in_attempts WHERE {} = :value "
                    "AND at >= :since",
                    column),
        {{"value", value}, {"since", utc_text(now - kAttemptWindow)}});
    if (row->integer("n") < limit) return;
    throw TooManyAttempts(limit, parse_utc(row->text("first")) + kAttemptWindow - now);
  };
  refuse_above("login", what, kAttemptsOfLogin);
  if (!address.empty()) refuse_above("address", address, kAttemptsOfAddress);
  tx->insert("sign_in_attempts", {{"login", what}, {"address", address}, {"at", utc_text(now)}});
  tx.commit();
}

void forget_attempts(db::Transaction& tx, const std::string& what, const std::string& address) {
  tx->execute("DELETE FROM sign_in_attempts WHERE login = :what AND address = :address",
              {{"what", what}, {"address", address}});
}

NewSession sign_in(db::Database& database, const std::string& given, const std::string& password,
                   const std::string& address) {
  // A login that cannot be one is counted like any other, but not kept at any length.
  const std::string login = lower_ascii(given).substr(0, 100);
  note_attempt(database, login, address);
  std::optional<db::Row> person;
  {
    const db::Lease c = database.connect();
    person = c->first("SELECT * FROM people WHERE login = :login AND active = 1 AND password <> ''",
                      {{"login", login}});
  }
  if (!person) verify_nobody(password);
  if (!person || !verify_password(person->text("password"), password)) {
    throw NotSignedIn(ErrorCode::refused, "the login or the password is wrong");
  }
  db::Transaction tx(database);
  forget_attempts(tx, login, address);
  const NewSession session = insert_session({tx, {person->text("id"), "program"}}, person->text("id"));
  tx.commit();
  return session;
}

NewSession open_session(db::Database& database, const std::string& person_id) {
  db::Transaction tx(database);
  NewSession session = insert_session({tx, {person_id, "program"}}, person_id);
  tx.commit();
  return session;
}

void sign_out(db::Database& database, std::string_view token) {
  db::Transaction tx(database);
  const std::string hash = sha256_hex(token);
  const auto session = tx->first("SELECT person_id FROM sessions WHERE token_hash = :hash", {{"hash", hash}});
  if (!session) return;
  tx->execute("DELETE FROM sessions WHERE token_hash = :hash", {{"hash", hash}});
  log_session({tx, {session->text("person_id"), "program"}}, "session:close", session->text("person_id"));
  tx.commit();
}

std::optional<SignedIn> find_session(db::Database& database, std::string_view token) {
  std::optional<db::Row> session;
  SignedIn found;
  {
    const db::Lease c = database.connect();
    session = c->first("SELECT * FROM sessions WHERE token_hash = :hash AND expires_at > :now",
                       {{"hash", sha256_hex(token)}, {"now", utc_now()}});
    if (!session) return std::nullopt;
    const auto person = person_row(*c, session->text("person_id"));
    if (!person || !person->flag("active")) return std::nullopt;
    found = {.caller = caller_of(*c, *person),
             .csrf = session->text("csrf"),
             .must_change_password = person->flag("must_change_password")};
  }
  note_use(database, *session);
  return found;
}

void require_own_password(db::Database& database, const std::string& person_id, const std::string& password,
                          const std::string& address) {
  std::string kept;
  std::string login;
  {
    const db::Lease c = database.connect();
    const auto person = person_row(*c, person_id);
    if (!person) throw NotSignedIn(ErrorCode::refused, "you are not known here");
    kept = person->text("password");
    login = person->text("login");
  }
  // Who has none yet (people of the command line) shows none.
  if (kept.empty() && password.empty()) return;
  note_attempt(database, login, address);
  if (!verify_password(kept, password)) throw Error(ErrorCode::refused, "this is not your password");
  db::Transaction tx(database);
  forget_attempts(tx, login, address);
  tx.commit();
}

// --- API tokens ---

namespace {

constexpr std::string_view kTokenPrefix = "mqt_";  // so that a token in a log or a file is recognised

std::set<Action> scope_of(const std::vector<std::string>& names) {
  std::set<Action> scope;
  if (names.size() == 1 && names[0] == "*") return scope;
  for (const std::string& each : names) scope.insert(action_named(each));
  return scope;
}

Json token_document(const db::Row& row) {
  return {{"id", row.text("id")},
          {"name", row.text("name")},
          {"scopes", json_of(row, "scopes")},
          {"created_at", row.text("created_at")},
          {"expires_at", text_or_null(row, "expires_at")},
          {"used_at", text_or_null(row, "used_at")},
          {"revoked_at", text_or_null(row, "revoked_at")}};
}

}  // namespace

Json create_api_token(const Change& change, const Caller& caller, const NewApiToken& wanted) {
  require_name(wanted.name, "a token");
  if (wanted.scopes.empty()) {
    throw Error(ErrorCode::usage, "a token needs scopes").with("expected", "actions like take.file, or *");
  }
  const std::set<Action> scope = scope_of(wanted.scopes);
  if (!caller.scope.empty() && (scope.empty() || !std::ranges::includes(caller.scope, scope))) {
    throw Error(ErrorCode::refused, "a token cannot make one that may do more than itself");
  }
  if (!wanted.expires_at.empty() && parse_utc(wanted.expires_at) <= Clock::now()) {
    throw Error(ErrorCode::usage, "the token would have expired already").with("found", wanted.expires_at);
  }
  const std::string token = std::string(kTokenPrefix) + new_secret();
  const std::string id = new_uuid();
  const std::string expires = wanted.expires_at.empty() ? "" : utc_text(parse_utc(wanted.expires_at));
  change->insert("api_tokens", {{"id", id},
                                {"token_hash", sha256_hex(token)},
                                {"person_id", caller.person_id},
                                {"name", wanted.name},
                                {"scopes", Json(wanted.scopes).dump()},
                                {"created_at", utc_now()},
                                {"expires_at", db::or_null(expires)}});
  change.log(
      {.action = "token:create",
       .subject_kind = "token",
       .subject_id = id,
       .after = {{"scopes", wanted.scopes}, {"expires_at", expires.empty() ? Json() : Json(expires)}}});
  Json document = token_document(*change->first("SELECT * FROM api_tokens WHERE id = :id", {{"id", id}}));
  document["token"] = token;
  return document;
}

std::vector<Json> api_tokens(db::Connection& c, const std::string& person_id) {
  std::vector<Json> found;
  for (const db::Row& row :
       c.query("SELECT * FROM api_tokens WHERE person_id = :person ORDER BY id", {{"person", person_id}})) {
    found.push_back(token_document(row));
  }
  return found;
}

void revoke_api_token(const Change& change, const std::string& person_id, const std::string& id) {
  const auto row = change->first("SELECT * FROM api_tokens WHERE id = :id AND person_id = :person",
                                 {{"id", id}, {"person", person_id}});
  if (!row) throw Error(ErrorCode::not_found, "you have no token \"{}\"", id.substr(0, 80));
  if (!row->is_null("revoked_at")) return;
  change->update("api_tokens", {{"revoked_at", utc_now()}}, {"id", id});
  change.log({.action = "token:revoke", .subject_kind = "token", .subject_id = id});
}

namespace {

std::optional<SignedIn> known_token(db::Database& database, std::string_view token) {
  if (!token.starts_with(kTokenPrefix)) return std::nullopt;
  const Clock::time_point now = Clock::now();
  std::optional<db::Row> row;
  SignedIn found;
  {
    const db::Lease c = database.connect();
    row = c->first(
        "SELECT * FROM api_tokens WHERE token_hash = :hash AND revoked_at IS NULL AND (expires_at IS NULL OR "
        "expires_at > :now)",
        {{"hash", sha256_hex(token)}, {"now", utc_text(now)}});
    if (!row) return std::nullopt;
    const auto person = person_row(*c, row->text("person_id"));
    if (!person || !person->flag("active")) return std::nullopt;
    found.caller = caller_of(*c, *person);
    found.caller.scope = scope_of(Json::parse(row->text("scopes")).get<std::vector<std::string>>());
    found.must_change_password = person->flag("must_change_password");
  }
  if (row->is_null("used_at") || parse_utc(row->text("used_at")) + kNoted < now) {
    db::Transaction tx(database);
    tx->update("api_tokens", {{"used_at", utc_text(now)}}, {"id", row->text("id")});
    tx.commit();
  }
  return found;
}

// Tokens are not counted with the sign-ins: a program with an old one must not lock people out.
std::string guesses_from(const std::string& address) { return "token:" + address; }

void refuse_guesses(db::Database& database, const std::string& address) {
  const Clock::time_point now = Clock::now();
  const db::Lease c = database.connect();
  const auto row = c->first(
      "SELECT count(*) AS n, min(at) AS first FROM sign_in_attempts WHERE login = :what AND at >= :since",
      {{"what", guesses_from(address)}, {"since", utc_text(now - kAttemptWindow)}});
  if (row->integer("n") >= kTokensOfAddress)
    throw TooManyAttempts(kTokensOfAddress, parse_utc(row->text("first")) + kAttemptWindow - now);
}

void note_guess(db::Database& database, const std::string& address) {
  db::Transaction tx(database);
  tx->insert("sign_in_attempts", {{"login", guesses_from(address)}, {"address", ""}, {"at", utc_now()}});
  tx.commit();
}

}  // namespace

std::optional<SignedIn> find_api_token(db::Database& database, std::string_view token,
                                       const std::string& address) {
  refuse_guesses(database, address);
  std::optional<SignedIn> found = known_token(database, token);
  if (!found) note_guess(database, address);
  return found;
}

}  // namespace maquette::production
