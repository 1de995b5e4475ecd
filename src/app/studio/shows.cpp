#include "production/shows.h"

#include "app/studio/handlers.h"
#include "app/studio/operations.h"
#include "base/file.h"
#include "production/file_store.h"
#include "production/references.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;

constexpr Parameter kShow = {"show", Place::path, Kind::text, "code or id of the show", true};

// Whose files a folder holds: for people, and for bringing a moved folder back.
void write_identity(const Call& call, const db::Row& show) {
  const fs::path folder = call.studio.show_folder(show.text("root"));
  std::error_code error;
  fs::create_directories(folder / "files", error);
  if (error) {
    throw Error(ErrorCode::failed, "cannot make the show's folder")
        .with("where", folder.string())
        .with("found", error.message());
  }
  const Json identity = {{"schema", "MaquetteShow.1"},
                         {"id", show.text("id")},
                         {"code", show.text("code")},
                         {"name", show.text("name")}};
  write_file_atomically(folder / "show.json", identity.dump(2) + "\n");
}

Reply list(Call& call) {
  const db::Lease c = call.studio.database().connect();
  std::vector<Json> items;
  for (const db::Row& row : c->query("SELECT * FROM shows ORDER BY code")) {
    if (call.caller.role_for(Action::show_read, row.text("id")))
      items.push_back(production::show_document(*c, row, true));
  }
  return list_reply(items);
}

Reply show(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row row = production::find_show(*c, call.text("show"));
  require_reading(call, row.text("id"));
  return document_reply(production::show_document(*c, row, true));
}

// Where a show's files lie, and which configuration is read, is up to who owns this machine's files: over the
// network, only folders inside the studio's "shows" can be named.
void require_inside(const Call& call, std::string_view what, const std::string& path) {
  if (call.address.empty() || path.empty()) return;
  const fs::path given(path);
  const bool inside = given.is_relative() && given.begin() != given.end() && *given.begin() == "shows" &&
                      std::next(given.begin()) != given.end();
  if (inside) {
    for (auto part = std::next(given.begin()); part != given.end(); ++part)
      production::require_code(part->string(), what);
    return;
  }
  throw Error(ErrorCode::refused, "cannot use this path for {}", what)
      .with("found", path.substr(0, 200))
      .with("expected", "shows/NAME, in the studio's folder")
      .hint("other places are given on the command line of the machine that serves the studio");
}

void require_places_inside(const Call& call) {
  require_inside(call, "a show's folder", call.text("root"));
  const Json settings = call.arguments.value("settings", Json::object());
  if (const auto config = settings.find("color_config"); config != settings.end() && config->is_string())
    require_inside(call, "a colour configuration", config->get<std::string>());
}

Reply create(Call& call) {
  production::require(call.caller, Action::show_create, "");
  require_places_inside(call);
  Json document = changing(call, Action::show_create, "", [&](const Change& change) {
    const std::string id =
        production::create_show(change, {.code = call.text("code"),
                                         .name = call.text("name", call.text("code")),
                                         .root = call.text("root"),
                                         .settings = call.arguments.value("settings", Json::object())});
    const db::Row row = production::find_show(*change, id);
    write_identity(call, row);
    return production::show_document(*change, row, true);
  });
  return document_reply(document, true);
}

Reply update(Call& call) {
  const std::string id =
      production::find_show(*call.studio.database().connect(), call.text("show")).text("id");
  production::require(call.caller, Action::show_edit, id);
  require_places_inside(call);
  return document_reply(changing(call, Action::show_edit, id, [&](const Change& change) {
    change.tx.lock_row("shows", id);
    const db::Row row = production::find_show(*change, id);
    production::update_show(change, row,
                            {.name = call.optional_text("name"),
                             .root = call.optional_text("root"),
                             .status = call.optional_text("status"),
                             .settings = call.arguments.value("settings", Json()),
                             .seen_version = call.if_match});
    const db::Row now = production::find_show(*change, row.text("id"));
    write_identity(call, now);
    return production::show_document(*change, now, true);
  }));
}

// --- statuses and types ---

db::Row readable_show(const Call& call, db::Connection& c) {
  const db::Row row = production::find_show(c, call.text("show"));
  require_reading(call, row.text("id"));
  return row;
}

Json given_fields(const Call& call) {
  Json fields = call.arguments;
  fields.erase("show");
  fields.erase("status");
  return fields;
}

Reply status_list(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return list_reply(production::statuses(*c, readable_show(call, *c).text("id")));
}

Reply status_create(Call& call) {
  const db::Row row = production::find_show(*call.studio.database().connect(), call.text("show"));
  return document_reply(changing(call, Action::show_edit, row.text("id"),
                                 [&](const Change& change) {
                                   const std::string id =
                                       production::create_status(change, row, given_fields(call));
                                   return production::status_document(
                                       production::find_type(*change, "task_statuses", row.text("id"), id));
                                 }),
                        true);
}

Reply status_update(Call& call) {
  const db::Row row = production::find_show(*call.studio.database().connect(), call.text("show"));
  return document_reply(changing(call, Action::show_edit, row.text("id"), [&](const Change& change) {
    change.tx.lock_row("shows", row.text("id"));
    const db::Row status =
        production::find_type(*change, "task_statuses", row.text("id"), call.text("status"));
    production::require_version(production::status_document(status)["version"].get<int64_t>(), call.if_match);
    production::update_status(change, row, status, given_fields(call));
    return production::status_document(
        production::find_type(*change, "task_statuses", row.text("id"), status.text("id")));
  }));
}

Reply types(Call& call, std::string_view table) {
  const db::Lease c = call.studio.database().connect();
  std::vector<Json> items;
  for (const db::Row& type : c->query(fmt::format("SELECT * FROM {} WHERE show_id = :s ORDER BY code", table),
                                      {{"s", readable_show(call, *c).text("id")}})) {
    items.push_back(production::type_document(type, table));
  }
  return list_reply(items);
}

Reply create_type(Call& call, std::string_view table,
                  std::string (*make)(const Change&, const db::Row&, const Json&)) {
  const db::Row row = production::find_show(*call.studio.database().connect(), call.text("show"));
  return document_reply(changing(call, Action::show_edit, row.text("id"),
                                 [&](const Change& change) {
                                   const std::string id = make(change, row, given_fields(call));
                                   return production::type_document(
                                       production::find_type(*change, table, row.text("id"), id), table);
                                 }),
                        true);
}

Reply task_type_list(Call& call) { return types(call, "task_types"); }
Reply asset_type_list(Call& call) { return types(call, "asset_types"); }
Reply task_type_create(Call& call) { return create_type(call, "task_types", production::create_task_type); }
Reply asset_type_create(Call& call) {
  return create_type(call, "asset_types", production::create_asset_type);
}

std::vector<Parameter> status_fields(bool creating) {
  std::vector<Parameter> list = {kShow};
  list.push_back(creating ? Parameter{"code", Place::body, Kind::text, "short name, for example wfa", true}
                          : Parameter{"status", Place::path, Kind::text, "code or id of the status", true});
  for (const Parameter& parameter :
       {Parameter{"name", Place::body, Kind::text, "as people see it"},
        Parameter{"color", Place::body, Kind::text, "#rrggbb"},
        Parameter{"position", Place::body, Kind::integer, "place in the list"},
        Parameter{"is_default", Place::body, Kind::flag, "tasks begin with it"},
        Parameter{"is_wip", Place::body, Kind::flag, "work has begun"},
        Parameter{"is_done", Place::body, Kind::flag, "ends a task"},
        Parameter{"is_retake", Place::body, Kind::flag, "entering it counts a retake"},
        Parameter{"is_feedback_request", Place::body, Kind::flag, "asks for a review"},
        Parameter{"is_artist_allowed", Place::body, Kind::flag, "artists may set it"},
        Parameter{"is_client_allowed", Place::body, Kind::flag, "clients may set it"},
        Parameter{"archived", Place::body, Kind::flag, "no longer offered"}}) {
    list.push_back(parameter);
  }
  return list;
}

}  // namespace

std::vector<Operation> show_operations() {
  return {
      {"show list",
       "GET",
       "/shows",
       Action::show_read,
       "the shows that you may see",
       "maquette show list",
       {},
       false,
       list},
      {"show create",
       "POST",
       "/shows",
       Action::show_create,
       "make a show",
       "maquette show create lanterns --name Lanterns",
       {{"code", Place::body, Kind::text, "short name, part of file names", true},
        {"name", Place::body, Kind::text, "as people see it"},
        {"root", Place::body, Kind::text, "its folder; left out: shows/CODE in the studio's folder"},
        {"settings", Place::body, Kind::object,
         "width, height, overscan, fps, path_template, max_retakes, color_config, quotas"}},
       false,
       create},
      {"show info",
       "GET",
       "/shows/{show}",
       Action::show_read,
       "a show with its settings and counts",
       "maquette show info lanterns",
       {kShow},
       false,
       show},
      {"show update",
       "PATCH",
       "/shows/{show}",
       Action::show_edit,
       "change a show",
       "maquette show update lanterns --settings '{\"max_retakes\": 3}'",
       {kShow,
        {"name", Place::body, Kind::text, "as people see it"},
        {"root", Place::body, Kind::text, "its folder, after it was moved"},
        {"status", Place::body, Kind::text, "open or closed"},
        {"settings", Place::body, Kind::object, "only those that change"}},
       false,
       update},
      {"status list",
       "GET",
       "/shows/{show}/statuses",
       Action::show_read,
       "the statuses of a show's tasks",
       "maquette status list lanterns",
       {kShow},
       false,
       status_list},
      {"status create", "POST", "/shows/{show}/statuses", Action::show_edit, "add a status",
       "maquette status create lanterns client --name \"At the client\" --is-feedback-request",
       status_fields(true), false, status_create},
      {"status update", "PATCH", "/shows/{show}/statuses/{status}", Action::show_edit, "change a status",
       "maquette status update lanterns retake --color '#ff8800'", status_fields(false), false,
       status_update},
      {"task-type list",
       "GET",
       "/shows/{show}/task-types",
       Action::show_read,
       "the kinds of tasks",
       "maquette task-type list lanterns",
       {kShow},
       false,
       task_type_list},
      {"task-type create",
       "POST",
       "/shows/{show}/task-types",
       Action::show_edit,
       "add a kind of task",
       "maquette task-type create lanterns matte --name \"Matte painting\" --for-kind shot",
       {kShow,
        {"code", Place::body, Kind::text, "short name", true},
        {"name", Place::body, Kind::text, "as people see it"},
        {"color", Place::body, Kind::text, "#rrggbb"},
        {"for_kind", Place::body, Kind::text, "shot, asset, ...; left out: all"}},
       false,
       task_type_create},
      {"asset-type list",
       "GET",
       "/shows/{show}/asset-types",
       Action::show_read,
       "the kinds of assets",
       "maquette asset-type list lanterns",
       {kShow},
       false,
       asset_type_list},
      {"asset-type create",
       "POST",
       "/shows/{show}/asset-types",
       Action::show_edit,
       "add a kind of asset",
       "maquette asset-type create lanterns vehicle --name Vehicle",
       {kShow,
        {"code", Place::body, Kind::text, "short name", true},
        {"name", Place::body, Kind::text, "as people see it"}},
       false,
       asset_type_create},
  };
}

}  // namespace maquette::app
