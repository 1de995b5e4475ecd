// What guests may do: open a link with its password, look at the takes of its playlist, read what was said
// about these takes, comment on them. The address of a link is no secret enough by itself; the password makes
// a ticket, kept in a cookie for this link only.
#include "app/studio/operation.h"
#include "base/text.h"
#include "production/accounts_links.h"
#include "production/file_store.h"
#include "production/references.h"
#include "server/api.h"
#include "server/replies.h"

namespace maquette::server {

using production::Guest;

namespace {

constexpr std::string_view kGuestCookie = "maquette_guest";
constexpr uint64_t kLargestComment = 512 << 10;
constexpr std::string_view kOpening[] = {"password", "name"};
constexpr std::string_view kComment[] = {"text", "drawing"};

Json body_of(Request& request, std::span<const std::string_view> names) {
  const std::string_view type = request.header("content-type");
  if (lower_ascii(trim(type.substr(0, type.find(';')))) != "application/json")
    throw BadRequest(415, "cannot read a body of this kind").with("expected", "application/json");
  auto body = parse_json(request.body->all(kLargestComment), "the body of the request");
  if (!body || !body->is_object()) throw Error(ErrorCode::usage, "the body of the request is no JSON object");
  refuse_zeros(*body);
  refuse_unknown(*body, names);
  return *body;
}

std::string text_of(const Json& body, std::string_view name) {
  const auto found = body.find(name);
  if (found == body.end() || !found->is_string()) throw Error(ErrorCode::usage, "\"{}\" is missing", name);
  return found->get<std::string>();
}

constexpr std::string_view kTakesOfPlaylist =
    "SELECT t.*, i.position FROM playlist_items i JOIN takes t ON t.id = i.take_id WHERE i.playlist_id = "
    ":playlist AND "
    "t.withdrawn_at IS NULL AND t.purged_at IS NULL";

db::Row take_of_playlist(db::Connection& c, const Guest& guest, const std::string& take_id) {
  if (auto row = c.first(fmt::format("{} AND t.id = :take", kTakesOfPlaylist),
                         {{"playlist", guest.playlist_id}, {"take", take_id}}))
    return *row;
  throw Error(ErrorCode::not_found, "this take is not among those shown");
}

// What a guest sees of a take: no prompts, no settings.
Json guest_take(db::Connection& c, const db::Row& row) {
  const std::string task = production::task_name(c, production::find_task(c, row.text("task_id")));
  return {{"id", row.text("id")},
          {"reference", task + "/" + production::take_label(row.integer("revision"), row.integer("number"))},
          {"label", production::take_label(row.integer("revision"), row.integer("number"))},
          {"title", row.text("title")},
          {"width", row.integer("width")},
          {"height", row.integer("height")}};
}

// What was said about this take, oldest first, with what was drawn on it: nothing that was said about the
// task as a whole, or about takes that are not in the playlist.
Json guest_comments(db::Connection& c, const db::Row& take) {
  Json items = Json::array();
  for (const db::Row& row : c.query("SELECT m.*, p.name AS person_name, a.drawing AS drawn FROM comments m "
                                    "LEFT JOIN people p ON p.id = "
                                    "m.person_id LEFT JOIN annotations a ON a.id = m.annotation_id AND "
                                    "a.removed_at IS NULL WHERE m.task_id "
                                    "= :task AND m.take_id = :take ORDER BY m.said_at, m.seq",
                                    {{"task", take.text("task_id")}, {"take", take.text("id")}})) {
    const bool by_guest = row.is_null("person_id");
    items.push_back({{"id", row.text("id")},
                     {"text", row.text("text")},
                     {"author", by_guest ? row.text("guest") : row.text("person_name")},
                     {"is_guest", by_guest},
                     {"said_at", row.text("said_at")},
                     {"drawing", row.is_null("drawn") ? Json::array() : Json::parse(row.text("drawn"))}});
  }
  return items;
}

Json guest_view(db::Connection& c, const Guest& guest) {
  const auto playlist = c.first(
      "SELECT p.*, s.name AS show_name FROM playlists p JOIN shows s ON s.id = p.show_id WHERE p.id = :id",
      {{"id", guest.playlist_id}});
  if (!playlist) throw Error(ErrorCode::not_found, "this playlist is not there any more");
  Json takes = Json::array();
  for (const db::Row& row :
       c.query(fmt::format("{} ORDER BY i.position", kTakesOfPlaylist), {{"playlist", guest.playlist_id}})) {
    takes.push_back(guest_take(c, row));
  }
  return {{"playlist",
           {{"id", guest.playlist_id},
            {"name", playlist->text("name")},
            {"description", playlist->text("description")},
            {"show", playlist->text("show_name")}}},
          {"takes", takes},
          {"guest", guest.name},
          {"can_comment", guest.can_comment}};
}

}  // namespace

Response Api::answer_guest(Request& request, std::string_view path) {
  // "", "shared", TOKEN, ...
  std::vector<std::string> parts = split(path, '/');
  for (std::string& part : parts) part = percent_decode(part, false);
  const std::string& token = parts[2];
  db::Database& database = studio_.database();
  const bool reads = request.method == "GET" || request.method == "HEAD";

  if (parts.size() == 4 && parts[3] == "open" && request.method == "POST") {
    const Json body = body_of(request, kOpening);
    const std::string ticket = production::open_link(database, token, text_of(body, "password"),
                                                     text_of(body, "name"), request.address);
    const auto guest = production::find_guest(database, token, ticket);
    if (!guest) throw production::NotSignedIn(ErrorCode::refused, "this link is over");
    const db::Lease c = database.connect();
    Response response = json_response(201, guest_view(*c, *guest));
    return response.set(
        "Set-Cookie", fmt::format("{}={}; Path=/api/v1/shared/{}; HttpOnly; SameSite=Strict; Max-Age=43200{}",
                                  kGuestCookie, ticket, token, options_.secure_cookies ? "; Secure" : ""));
  }
  const auto guest = production::find_guest(database, token, cookie(request, kGuestCookie));
  if (!guest) {
    throw production::NotSignedIn(ErrorCode::refused, "this link wants its password, or is over")
        .hint("open the link again");
  }
  if (parts.size() == 3 && reads) {
    const db::Lease c = database.connect();
    return json_response(200, guest_view(*c, *guest));
  }
  if (parts.size() == 6 && parts[3] == "takes" && reads &&
      (parts[5] == "picture" || parts[5] == "thumbnail")) {
    const db::Lease c = database.connect();
    const db::Row take = take_of_playlist(*c, *guest, parts[4]);
    const std::string sha256 = take.text(parts[5] == "picture" ? "sha256" : "thumbnail");
    const production::FileStore store(
        studio_.show_folder(production::find_show(*c, guest->show_id).text("root")));
    const db::Row file = production::find_file(*c, guest->show_id, sha256);
    return reply_response(
        {.file = store.path(sha256), .media_type = file.text("media_type"), .immutable = true}, request);
  }
  if (parts.size() == 6 && parts[3] == "takes" && parts[5] == "comments" && reads) {
    const db::Lease c = database.connect();
    const Json items = guest_comments(*c, take_of_playlist(*c, *guest, parts[4]));
    return json_response(200, {{"items", items}, {"next", nullptr}});
  }
  if (parts.size() == 6 && parts[3] == "takes" && parts[5] == "comments" && request.method == "POST") {
    const Json body = body_of(request, kComment);
    db::Transaction tx(database);
    production::add_guest_comment({tx, {"", "guest"}}, *guest, take_of_playlist(*tx, *guest, parts[4]),
                                  text_of(body, "text"), body.value("drawing", Json()));
    tx.commit();
    studio_.news().wake();
    return json_response(201, {{"done", true}});
  }
  throw Error(ErrorCode::not_found, "there is nothing at this address");
}

}  // namespace maquette::server
