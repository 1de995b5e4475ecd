#include "production/review.h"

#include <algorithm>
#include <cmath>

#include "base/identifiers.h"
#include "production/references.h"
#include "production/takes.h"

namespace maquette::production {

// --- drawings ---

namespace {

constexpr std::string_view kStrokeKinds[] = {"path", "line", "arrow", "rect", "ellipse", "text"};
constexpr size_t kMostStrokes = 2000;
constexpr size_t kMostPoints = 20000;  // of a stroke

Error bad_drawing(std::string_view what) {
  return Error(ErrorCode::usage, "cannot read the drawing")
      .with("found", what)
      .with("expected",
            "[{kind, points: [[x, y, pressure]...], color: \"#rrggbb\", width}], x and y in parts of the "
            "picture");
}

bool is_coordinate(const Json& value) { return value.is_number() && std::abs(value.get<double>()) <= 100; }

void require_stroke(const Json& stroke) {
  if (!stroke.is_object()) throw bad_drawing("a stroke that is no object");
  const std::string kind =
      stroke.contains("kind") && stroke["kind"].is_string() ? stroke["kind"].get<std::string>() : "";
  if (std::ranges::find(kStrokeKinds, kind) == std::end(kStrokeKinds))
    throw bad_drawing("a stroke of kind \"" + kind + "\"");
  const auto points = stroke.find("points");
  if (points == stroke.end() || !points->is_array() || points->empty() || points->size() > kMostPoints)
    throw bad_drawing("a stroke without points");
  for (const Json& point : *points) {
    if (!point.is_array() || point.size() < 2 || point.size() > 4 ||
        !std::ranges::all_of(point, is_coordinate))
      throw bad_drawing("a point that is none");
  }
  if (const auto color = stroke.find("color"); color != stroke.end()) {
    const bool fits = color->is_string() && color->get_ref<const std::string&>().size() == 7 &&
                      color->get_ref<const std::string&>()[0] == '#';
    if (!fits) throw bad_drawing("a colour that is none");
  }
  if (const auto width = stroke.find("width"); width != stroke.end() && !is_coordinate(*width))
    throw bad_drawing("a width that is none");
  if (const auto text = stroke.find("text"); text != stroke.end() && !text->is_string())
    throw bad_drawing("a text that is none");
}

void log_annotation(const Change& change, const db::Row& take, std::string_view action, std::string_view id) {
  change.log({.action = action,
              .subject_kind = "take",
              .subject_id = take.text("id"),
              .show_id = take.text("show_id"),
              .after = {{"annotation", id}}});
}

}  // namespace

void require_drawing(const Json& drawing) {
  if (!drawing.is_array() || drawing.size() > kMostStrokes)
    throw bad_drawing(drawing.is_array() ? "too many strokes" : "no list");
  for (const Json& stroke : drawing) require_stroke(stroke);
}

std::string annotate(const Change& change, const db::Row& take, const NewAnnotation& annotation) {
  require_drawing(annotation.drawing);
  if (annotation.canvas_width < 1 || annotation.canvas_height < 1)
    throw Error(ErrorCode::usage, "a drawing needs the size of its canvas");
  const std::string id = new_uuid();
  change->insert("annotations",
                 {{"id", id},
                  {"take_id", take.text("id")},
                  {"person_id", db::or_null(annotation.guest.empty() ? change.actor.person_id : "")},
                  {"guest", annotation.guest},
                  {"canvas_width", annotation.canvas_width},
                  {"canvas_height", annotation.canvas_height},
                  {"drawing", annotation.drawing.dump()},
                  {"note", annotation.note},
                  {"created_at", utc_now()}});
  log_annotation(change, take, "take:annotate", id);
  return id;
}

void update_annotation(const Change& change, const db::Row& annotation, const Json& drawing,
                       const std::optional<std::string>& note, std::optional<int64_t> seen_version) {
  require_version(annotation, seen_version);
  db::Bindings columns = {{"version", annotation.integer("version") + 1}};
  if (!drawing.is_null()) {
    require_drawing(drawing);
    columns.push_back({"drawing", drawing.dump()});
  }
  if (note) columns.push_back({"note", *note});
  change->update("annotations", columns, {"id", annotation.text("id")});
  log_annotation(change, find_take(*change, annotation.text("take_id")), "take:annotation-update",
                 annotation.text("id"));
}

void remove_annotation(const Change& change, const db::Row& annotation) {
  change->update("annotations", {{"removed_at", utc_now()}}, {"id", annotation.text("id")});
  log_annotation(change, find_take(*change, annotation.text("take_id")), "take:annotation-remove",
                 annotation.text("id"));
}

db::Row find_annotation(db::Connection& c, std::string_view id) {
  if (auto row =
          c.first("SELECT * FROM annotations WHERE id = :i AND removed_at IS NULL", {{"i", std::string(id)}}))
    return *row;
  throw Error(ErrorCode::not_found, "there is no drawing \"{}\"", id.substr(0, 80));
}

namespace {

constexpr std::string_view kAnnotationQuestion =
    "SELECT a.*, p.name FROM annotations a LEFT JOIN people p ON p.id = a.person_id";

Json document_of(const db::Row& row) {
  Json person;
  if (!row.is_null("person_id")) person = {{"id", row.text("person_id")}, {"name", row.text("name")}};
  return {{"id", row.text("id")},
          {"take_id", row.text("take_id")},
          {"person", person},
          {"guest", row.text("guest")},
          {"canvas_width", row.integer("canvas_width")},
          {"canvas_height", row.integer("canvas_height")},
          {"drawing", json_of(row, "drawing")},
          {"note", row.text("note")},
          {"created_at", row.text("created_at")},
          {"version", row.integer("version")}};
}

}  // namespace

std::vector<Json> annotations(db::Connection& c, const db::Row& take) {
  std::vector<Json> list;
  for (const db::Row& row : c.query(
           fmt::format("{} WHERE a.take_id = :t AND a.removed_at IS NULL ORDER BY a.id", kAnnotationQuestion),
           {{"t", take.text("id")}})) {
    list.push_back(document_of(row));
  }
  return list;
}

Json annotation_document(db::Connection& c, std::string_view id) {
  return document_of(
      *c.first(fmt::format("{} WHERE a.id = :i", kAnnotationQuestion), {{"i", std::string(id)}}));
}

// --- playlists ---

namespace {

void log_playlist(const Change& change, const std::string& show_id, std::string_view action,
                  const std::string& id, const std::string& name, Json after) {
  change.log({.action = action,
              .subject_kind = "playlist",
              .subject_id = id,
              .subject_name = name,
              .show_id = show_id,
              .after = std::move(after)});
}

std::vector<std::string> set_items(const Change& change, const std::string& show_id,
                                   const std::string& playlist_id, const std::vector<std::string>& takes) {
  change->execute("DELETE FROM playlist_items WHERE playlist_id = :p", {{"p", playlist_id}});
  std::vector<std::string> ids;
  for (const std::string& reference : takes) {
    const db::Row take = find_take(*change, reference);
    if (take.text("show_id") != show_id)
      throw Error(ErrorCode::usage, "the take belongs to another show").with("found", reference);
    change->insert("playlist_items", {{"playlist_id", playlist_id},
                                      {"position", static_cast<int64_t>(ids.size())},
                                      {"take_id", take.text("id")}});
    ids.push_back(take.text("id"));
  }
  return ids;
}

}  // namespace

std::string create_playlist(const Change& change, const db::Row& show, const std::string& name,
                            const std::string& description, const std::vector<std::string>& takes) {
  require_name(name, "a playlist");
  const std::string id = new_uuid();
  change->insert("playlists", {{"id", id},
                               {"show_id", show.text("id")},
                               {"name", name},
                               {"description", description},
                               {"created_by", change.actor.person_id},
                               {"created_at", utc_now()}});
  const auto ids = set_items(change, show.text("id"), id, takes);
  log_playlist(change, show.text("id"), "playlist:create", id, name, {{"takes", ids}});
  return id;
}

void update_playlist(const Change& change, const db::Row& playlist, const PlaylistUpdate& update) {
  require_version(playlist, update.seen_version);
  db::Bindings columns = {{"version", playlist.integer("version") + 1}};
  Json after;
  if (update.name) {
    require_name(*update.name, "a playlist");
    columns.push_back({"name", *update.name});
    after["name"] = *update.name;
  }
  if (update.description) {
    columns.push_back({"description", *update.description});
    after["description"] = *update.description;
  }
  if (update.archived) {
    columns.push_back({"archived_at", *update.archived ? db::Value(utc_now()) : db::Value()});
    after["archived"] = *update.archived;
  }
  if (update.takes)
    after["takes"] = set_items(change, playlist.text("show_id"), playlist.text("id"), *update.takes);
  if (after.is_null()) return;
  change->update("playlists", columns, {"id", playlist.text("id")});
  log_playlist(change, playlist.text("show_id"), "playlist:update", playlist.text("id"),
               playlist.text("name"), after);
}

db::Row find_playlist(db::Connection& c, std::string_view id) {
  if (auto row = c.first("SELECT * FROM playlists WHERE id = :i", {{"i", std::string(id)}})) return *row;
  throw Error(ErrorCode::not_found, "there is no playlist \"{}\"", id.substr(0, 80));
}

Page playlists(db::Connection& c, std::string_view show_id, const PageQuery& query) {
  Conditions where;
  where.add("l.show_id = :show", "show", std::string(show_id));
  where.add("l.archived_at IS NULL");
  if (!query.after.empty()) where.add("l.id < :after", "after", query.after);
  const auto rows = c.query(
      "SELECT l.*, (SELECT count(*) FROM playlist_items i WHERE i.playlist_id = l.id) AS items FROM "
      "playlists l" +
          where.where() + " ORDER BY l.id DESC LIMIT :limit",
      where.bindings(query));
  return page_of(rows, query, "id", [](const db::Row& row) {
    return Json{{"id", row.text("id")},
                {"show_id", row.text("show_id")},
                {"name", row.text("name")},
                {"description", row.text("description")},
                {"item_count", row.integer("items")},
                {"created_at", row.text("created_at")},
                {"version", row.integer("version")}};
  });
}

Json playlist_document(db::Connection& c, const db::Row& playlist, const std::string& reader_id) {
  Json items = Json::array();
  for (const db::Row& row :
       c.query("SELECT take_id FROM playlist_items WHERE playlist_id = :p ORDER BY position",
               {{"p", playlist.text("id")}})) {
    items.push_back(take_document(c, find_take(c, row.text("take_id")), reader_id));
  }
  return {{"id", playlist.text("id")},
          {"show_id", playlist.text("show_id")},
          {"name", playlist.text("name")},
          {"description", playlist.text("description")},
          {"items", items},
          {"archived", !playlist.is_null("archived_at")},
          {"created_at", playlist.text("created_at")},
          {"version", playlist.integer("version")}};
}

}  // namespace maquette::production
