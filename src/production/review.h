// Review: drawings on takes, and playlists of takes.
#pragma once

#include "production/change.h"

namespace maquette::production {

// Strokes are in parts of the picture's width and height, so that they fit every size of it; they may leave
// the picture. canvas_width, canvas_height: of the picture they were drawn on, in pixels.
//   [{kind: path|line|arrow|rect|ellipse|text, points: [[x, y, pressure?]...], color: "#rrggbb", width: part
//   of
//     the picture's height, text, filled}]
struct NewAnnotation {
  int64_t canvas_width = 0;
  int64_t canvas_height = 0;
  Json drawing;
  std::string note = {};
  std::string guest = {};
};
// Throws Error(usage) for what is no drawing.
void require_drawing(const Json& drawing);

std::string annotate(const Change& change, const db::Row& take, const NewAnnotation& annotation);
void update_annotation(const Change& change, const db::Row& annotation, const Json& drawing,
                       const std::optional<std::string>& note, std::optional<int64_t> seen_version);
void remove_annotation(const Change& change, const db::Row& annotation);
db::Row find_annotation(db::Connection& c, std::string_view id);
std::vector<Json> annotations(db::Connection& c, const db::Row& take);
Json annotation_document(db::Connection& c, std::string_view id);

std::string create_playlist(const Change& change, const db::Row& show, const std::string& name,
                            const std::string& description, const std::vector<std::string>& takes);
struct PlaylistUpdate {
  std::optional<std::string> name, description;
  std::optional<std::vector<std::string>> takes;  // all of them, in their order
  std::optional<bool> archived;
  std::optional<int64_t> seen_version;
};
void update_playlist(const Change& change, const db::Row& playlist, const PlaylistUpdate& update);
db::Row find_playlist(db::Connection& c, std::string_view id);
Page playlists(db::Connection& c, std::string_view show_id, const PageQuery& page);
Json playlist_document(db::Connection& c, const db::Row& playlist, const std::string& reader_id);

}  // namespace maquette::production
