#include "production/accounts_links.h"

#include <algorithm>

#include "base/hash.h"
#include "base/identifiers.h"
#include "base/password.h"
#include "base/text.h"
#include "production/accounts_sessions.h"
#include "production/references.h"
#include "production/review.h"
#include "production/tasks.h"

namespace maquette::production {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::system_clock;

constexpr auto kUsualTime = 24h * 14;
constexpr auto kLongestTime = 24h * 180;
constexpr auto kTicketTime = 12h;
constexpr size_t kShortestPassword = 6;
constexpr size_t kLongestPassword = 512;

Json link_document(const db::Row& row) {
  return {{"id", row.text("id")},
          {"playlist_id", row.text("playlist_id")},
          {"can_comment", row.flag("can_comment")},
          {"created_at", row.text("created_at")},
          {"expires_at", row.text("expires_at")},
          {"revoked_at", text_or_null(row, "revoked_at")}};
}

constexpr std::string_view kLinkColumns =
    "SELECT l.*, p.show_id FROM share_links l JOIN playlists p ON p.id = l.playlist_id";

std::optional<db::Row> open_link_of(db::Connection& c, std::string_view token) {
  return c.first(fmt::format("{} WHERE l.token_hash = :hash AND l.revoked_at IS NULL AND l.expires_at > :now",
                             kLinkColumns),
                 {{"hash", sha256_hex(token)}, {"now", utc_now()}});
}

std::string ticket_key(const db::Row& link) { return link.text("token_hash") + link.text("password"); }

// "NAME.END", the name as lower-case hexadecimal: what the checksum of a ticket covers.
std::string ticket_body(std::string_view name, std::string_view end) {
  return fmt::format("{}.{}", lower_hex(name), end);
}

std::string name_of_hex(std::string_view hex) {
  std::string name;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    name.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return name;
}

}  // namespace

Json create_link(const Change& change, const NewLink& wanted) {
  if (wanted.password.size() < kShortestPassword || wanted.password.size() > kLongestPassword) {
    throw Error(ErrorCode::usage, "a link needs a password")
        .with("expected", fmt::format("{} to {} bytes", kShortestPassword, kLongestPassword));
  }
  const Clock::time_point now = Clock::now();
  const Clock::time_point end = wanted.expires_at.empty() ? now + kUsualTime : parse_utc(wanted.expires_at);
  if (end <= now || end > now + kLongestTime) {
    throw Error(ErrorCode::usage, "cannot use this end of a link")
        .with("found", wanted.expires_at)
        .with("expected", "a time in the next 180 days");
  }
  const std::string token = base64url(random_bytes(32));
  const std::string id = new_uuid();
  change->insert("share_links", {{"id", id},
                                 {"token_hash", sha256_hex(token)},
                                 {"playlist_id", wanted.playlist_id},
                                 {"password", hash_password(wanted.password)},
                                 {"can_comment", int64_t{wanted.can_comment}},
                                 {"created_by", change.actor.person_id},
                                 {"created_at", utc_text(now)},
                                 {"expires_at", utc_text(end)}});
  change.log({.action = "link:create",
              .subject_kind = "link",
              .subject_id = id,
              .show_id = wanted.show_id,
              .after = {{"playlist", wanted.playlist_id},
                        {"can_comment", wanted.can_comment},
                        {"expires_at", utc_text(end)}}});
  Json document = link_document(find_link(*change, id));
  document["url"] = "/shared/" + token;
  document["token"] = token;
  return document;
}

std::vector<Json> links_of(db::Connection& c, const std::string& playlist_id) {
  std::vector<Json> found;
  for (const db::Row& row : c.query("SELECT * FROM share_links WHERE playlist_id = :playlist ORDER BY id",
                                    {{"playlist", playlist_id}})) {
    found.push_back(link_document(row));
  }
  return found;
}

db::Row find_link(db::Connection& c, const std::string& id) {
  if (auto row = c.first(fmt::format("{} WHERE l.id = :id", kLinkColumns), {{"id", id}})) return *row;
  throw Error(ErrorCode::not_found, "there is no link \"{}\"", id.substr(0, 80));
}

void revoke_link(const Change& change, const db::Row& link) {
  if (!link.is_null("revoked_at")) return;
  change->update("share_links", {{"revoked_at", utc_now()}}, {"id", link.text("id")});
  change.log({.action = "link:revoke",
              .subject_kind = "link",
              .subject_id = link.text("id"),
              .show_id = link.text("show_id")});
}

std::string open_link(db::Database& database, std::string_view token, const std::string& password,
                      const std::string& guest_name, const std::string& address) {
  require_name(guest_name, "a guest");
  std::optional<db::Row> link;
  {
    const db::Lease c = database.connect();
    link = open_link_of(*c, token);
  }
  const std::string what = "link:" + (link ? link->text("id") : std::string("unknown"));
  note_attempt(database, what, address);
  if (!link) {
    verify_nobody(password);
    throw Error(ErrorCode::not_found, "this link is not there, or over").hint("ask for a new one");
  }
  if (!verify_password(link->text("password"), password))
    throw NotSignedIn(ErrorCode::refused, "the password of the link is wrong");
  db::Transaction tx(database);
  forget_attempts(tx, what, address);
  // The guest's name stays out of the log.
  const Change change{tx, {"", "guest"}};
  change.log({.action = "link:open",
              .subject_kind = "link",
              .subject_id = link->text("id"),
              .show_id = link->text("show_id")});
  tx.commit();
  const std::string end = std::to_string((Clock::now() + kTicketTime).time_since_epoch() / 1s);
  const std::string body = ticket_body(guest_name, end);
  return fmt::format("{}.{}", body, hmac_sha256_hex(ticket_key(*link), body));
}

void add_guest_comment(const Change& change, const Guest& guest, const db::Row& take, const std::string& text,
                       const Json& drawing) {
  if (!guest.can_comment) throw Error(ErrorCode::refused, "this link is for looking only");
  std::string annotation_id;
  if (!drawing.is_null()) {
    require_drawing(drawing);
    annotation_id = new_uuid();
    change->insert("annotations", {{"id", annotation_id},
                                   {"take_id", take.text("id")},
                                   {"guest", guest.name},
                                   {"canvas_width", take.integer("width")},
                                   {"canvas_height", take.integer("height")},
                                   {"drawing", drawing.dump()},
                                   {"note", text},
                                   {"created_at", utc_now()}});
    change.log({.action = "annotation:create",
                .subject_kind = "annotation",
                .subject_id = annotation_id,
                .show_id = guest.show_id,
                .after = {{"take", take.text("id")}}});
  }
  comment(change, find_task(*change, take.text("task_id")),
          {.text = text, .take_id = take.text("id"), .annotation_id = annotation_id, .guest = guest.name});
}

std::optional<Guest> find_guest(db::Database& database, std::string_view token, std::string_view ticket) {
  const std::vector<std::string> parts = split(ticket, '.');
  if (parts.size() != 3) return std::nullopt;
  const db::Lease c = database.connect();
  const auto link = open_link_of(*c, token);
  if (!link) return std::nullopt;
  // The checksum comes first: nothing of a ticket is read before it is known to be ours.
  const std::string body = parts[0] + "." + parts[1];
  if (!same_secret(hmac_sha256_hex(ticket_key(*link), body), parts[2])) return std::nullopt;
  if (parse_integer(parts[1]).value_or(0) <= Clock::now().time_since_epoch() / 1s) return std::nullopt;
  return Guest{.link_id = link->text("id"),
               .playlist_id = link->text("playlist_id"),
               .show_id = link->text("show_id"),
               .name = name_of_hex(parts[0]),
               .can_comment = link->flag("can_comment")};
}

}  // namespace maquette::production
