#include "app/studio/annotation_mask.h"
#include "app/studio/filing.h"
#include "app/studio/handlers.h"
#include "app/studio/operations.h"
#include "app/studio/sheets.h"
#include "media/image_io.h"
#include "production/references.h"
#include "production/review.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;

constexpr Parameter kShow = {"show", Place::path, Kind::text, "code or id of the show", true};
constexpr Parameter kTake = {"take", Place::path, Kind::text, "id, or TASK/vNNN/tNN", true};
constexpr Parameter kAnnotation = {"annotation", Place::path, Kind::text, "id of the drawing", true};
constexpr Parameter kPlaylist = {"playlist", Place::path, Kind::text, "id of the playlist", true};

// --- drawings ---

Reply list(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row take = production::find_take(*c, call.text("take"));
  require_reading(call, take.text("show_id"));
  return list_reply(production::annotations(*c, take));
}

Reply annotate(Call& call) {
  const db::Row take = production::find_take(*call.studio.database().connect(), call.text("take"));
  return changing(call, Action::annotation_write, take.text("show_id"), [&](const Change& change) {
    const std::string id =
        production::annotate(change, take,
                             {.canvas_width = call.integer("canvas_width", take.integer("width")),
                              .canvas_height = call.integer("canvas_height", take.integer("height")),
                              .drawing = call.arguments.at("drawing"),
                              .note = call.text("note")});
    return document_reply(production::annotation_document(*change, id), true);
  });
}

struct Drawn {
  db::Row annotation;
  db::Row take;
};

Drawn drawn(const Call& call, Action action) {
  const db::Lease c = call.studio.database().connect();
  const db::Row annotation = production::find_annotation(*c, call.text("annotation"));
  Drawn found{.annotation = annotation, .take = production::find_take(*c, annotation.text("take_id"))};
  production::require(call.caller, action, found.take.text("show_id"));
  return found;
}

// Drawings are changed by whoever drew them.
void require_own(const Call& call, const Drawn& found) {
  if (found.annotation.text("person_id") == call.caller.person_id) return;
  throw Error(ErrorCode::refused, "this is somebody else's drawing").hint("add one of your own");
}

Reply update(Call& call) {
  const Drawn found = drawn(call, Action::annotation_write);
  require_own(call, found);
  return changing(call, Action::annotation_write, found.take.text("show_id"), [&](const Change& change) {
    change.tx.lock_row("annotations", found.annotation.text("id"));
    production::update_annotation(change, production::find_annotation(*change, found.annotation.text("id")),
                                  call.arguments.value("drawing", Json()), call.optional_text("note"),
                                  call.if_match);
    return document_reply(production::annotation_document(*change, found.annotation.text("id")));
  });
}

Reply remove(Call& call) {
  const Drawn found = drawn(call, Action::annotation_write);
  require_own(call, found);
  return changing(call, Action::annotation_write, found.take.text("show_id"), [&](const Change& change) {
    change.tx.lock_row("annotations", found.annotation.text("id"));
    const db::Row now = production::find_annotation(*change, found.annotation.text("id"));
    production::require_version(now, call.if_match);
    production::remove_annotation(change, now);
    return Reply{.body = {{"id", found.annotation.text("id")}, {"removed", true}}};
  });
}

Reply mask(Call& call) {
  const Drawn found = drawn(call, Action::take_file);
  const std::string show_id = found.take.text("show_id");
  const int64_t grow = call.integer("grow"), feather = call.integer("feather");
  if (grow < -1000 || grow > 1000 || feather < 0 || feather > 1000)
    throw Error(ErrorCode::usage, "\"grow\" and \"feather\" are at most 1000 pixels");
  const media::Image picture = mask_from_drawing(production::json_of(found.annotation, "drawing"),
                                                 {.width = found.take.integer("width"),
                                                  .height = found.take.integer("height"),
                                                  .grow = static_cast<int>(grow),
                                                  .feather = static_cast<int>(feather)});
  const std::string bytes = media::encode_image(picture, media::ImageFormat::png);
  const db::Row show = production::find_show(*call.studio.database().connect(), show_id);
  const production::FileStore store = store_of(call.studio, show);
  const std::string sha256 = store.put(bytes);
  return changing(call, Action::take_file, show_id, [&](const Change& change) {
    register_stored(
        change, store, show_id,
        {.sha256 = sha256, .media_type = "image/png", .bytes = static_cast<int64_t>(bytes.size())});
    change.log({.action = "annotation:mask",
                .subject_kind = "take",
                .subject_id = found.take.text("id"),
                .show_id = show_id,
                .after = {{"annotation", found.annotation.text("id")}, {"sha256", sha256}}});
    return document_reply({{"sha256", sha256}, {"width", picture.width()}, {"height", picture.height()}},
                          true);
  });
}

// --- playlists ---

Reply playlist_list(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row show = production::find_show(*c, call.text("show"));
  require_reading(call, show.text("id"));
  return list_reply(production::playlists(*c, show.text("id"), page_query(call)));
}

Reply playlist_create(Call& call) {
  const db::Row show = production::find_show(*call.studio.database().connect(), call.text("show"));
  return changing(call, Action::playlist_edit, show.text("id"), [&](const Change& change) {
    const std::string id = production::create_playlist(change, show, call.text("name"),
                                                       call.text("description"), call.list("takes"));
    return document_reply(
        production::playlist_document(*change, production::find_playlist(*change, id), call.caller.person_id),
        true);
  });
}

db::Row readable_playlist(const Call& call, db::Connection& c) {
  db::Row row = production::find_playlist(c, call.text("playlist"));
  require_reading(call, row.text("show_id"));
  return row;
}

Reply playlist_info(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return document_reply(
      production::playlist_document(*c, readable_playlist(call, *c), call.caller.person_id));
}

Reply playlist_update(Call& call) {
  const db::Row row = production::find_playlist(*call.studio.database().connect(), call.text("playlist"));
  return changing(call, Action::playlist_edit, row.text("show_id"), [&](const Change& change) {
    production::PlaylistUpdate update{.name = call.optional_text("name"),
                                      .description = call.optional_text("description"),
                                      .seen_version = call.if_match};
    change.tx.lock_row("playlists", row.text("id"));
    if (call.has("takes")) update.takes = call.list("takes");
    if (call.has("archived")) update.archived = call.flag("archived");
    production::update_playlist(change, production::find_playlist(*change, row.text("id")), update);
    return document_reply(production::playlist_document(
        *change, production::find_playlist(*change, row.text("id")), call.caller.person_id));
  });
}

Reply sheet(Call& call) {
  const db::Row row = readable_playlist(call, *call.studio.database().connect());
  return {.file = playlist_sheet(call.studio, row, call.text("format", "pdf")),
          .media_type = call.text("format", "pdf") == "pdf" ? "application/pdf" : "image/png",
          .passing = true};
}

}  // namespace

std::vector<Operation> review_operations() {
  return {
      {"annotation list",
       "GET",
       "/takes/{take}/annotations",
       Action::show_read,
       "the drawings on a take",
       "maquette annotation list lanterns/sq010/sh020:background/v001/t02",
       {kTake},
       false,
       list},
      {"annotation create",
       "POST",
       "/takes/{take}/annotations",
       Action::annotation_write,
       "draw on a take",
       "maquette annotation create lanterns/sq010/sh020:background/v001/t02 --note \"too bright\" --drawing "
       "'[{\"kind\": \"rect\", \"points\": [[0.1, 0.1], [0.4, 0.3]]}]'",
       {kTake,
        {"drawing", Place::body, Kind::array, "strokes in parts of the picture", true},
        {"canvas_width", Place::body, Kind::integer, "of the picture it was drawn on; left out: the take's"},
        {"canvas_height", Place::body, Kind::integer, "likewise"},
        {"note", Place::body, Kind::text, "what it says"}},
       false,
       annotate},
      {"annotation update",
       "PATCH",
       "/annotations/{annotation}",
       Action::annotation_write,
       "change your drawing",
       "maquette annotation update ID --note \"a little too bright\"",
       {kAnnotation,
        {"drawing", Place::body, Kind::array, "strokes"},
        {"note", Place::body, Kind::text, "what it says"}},
       false,
       update},
      {"annotation remove",
       "POST",
       "/annotations/{annotation}/remove",
       Action::annotation_write,
       "take your drawing away",
       "maquette annotation remove ID",
       {kAnnotation},
       false,
       remove},
      {"annotation mask",
       "POST",
       "/annotations/{annotation}/mask",
       Action::take_file,
       "make the drawing the mask of a retake",
       "maquette annotation mask ID --grow 8 --feather 12",
       {kAnnotation,
        {"grow", Place::body, Kind::integer, "pixels to widen it by"},
        {"feather", Place::body, Kind::integer, "pixels of soft edge"}},
       false,
       mask},
      {"playlist list", "GET", "/shows/{show}/playlists", Action::show_read, "the playlists of a show",
       "maquette playlist list lanterns", with_paging({kShow}), false, playlist_list},
      {"playlist create",
       "POST",
       "/shows/{show}/playlists",
       Action::playlist_edit,
       "put takes together for a review",
       "maquette playlist create lanterns monday --takes lanterns/sq010/sh020:background/v001/t02",
       {kShow,
        {"name", Place::body, Kind::text, "as people see it", true},
        {"description", Place::body, Kind::text, "what it is for"},
        {"takes", Place::body, Kind::list, "takes in their order"}},
       false,
       playlist_create},
      {"playlist info",
       "GET",
       "/playlists/{playlist}",
       Action::show_read,
       "a playlist with its takes",
       "maquette playlist info ID",
       {kPlaylist},
       false,
       playlist_info},
      {"playlist update",
       "PATCH",
       "/playlists/{playlist}",
       Action::playlist_edit,
       "change a playlist",
       "maquette playlist update ID --name tuesday",
       {kPlaylist,
        {"name", Place::body, Kind::text, "as people see it"},
        {"description", Place::body, Kind::text, "what it is for"},
        {"takes", Place::body, Kind::list, "all takes, in their order"},
        {"archived", Place::body, Kind::flag, "no longer listed"}},
       false,
       playlist_update},
      {"playlist sheet",
       "GET",
       "/playlists/{playlist}/sheet",
       Action::show_read,
       "a sheet to print: pictures, notes, drawings",
       "maquette playlist sheet ID --out monday.pdf",
       {kPlaylist,
        {"format", Place::query, Kind::text, "pdf (left out) with notes, or png: the pictures side by side"}},
       false,
       sheet},
  };
}

}  // namespace maquette::app
