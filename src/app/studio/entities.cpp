#include "production/entities.h"

#include "app/studio/handlers.h"
#include "app/studio/operations.h"
#include "production/references.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;

constexpr Parameter kShow = {"show", Place::path, Kind::text, "code or id of the show", true};
constexpr Parameter kEntity = {"entity", Place::path, Kind::text,
                               "id, or SHOW/PATH as in lanterns/sq010/sh020", true};

db::Row entity_of(const Call& call, db::Connection& c, std::string_view parameter = "entity") {
  db::Row row = production::find_entity(c, call.text(parameter));
  require_reading(call, row.text("show_id"));
  return row;
}

// A code of the show's own entities, a reference or an id.
std::string id_of_parent(db::Connection& c, const db::Row& show, const std::string& parent) {
  if (parent.empty()) return {};
  if (auto row = c.first("SELECT id FROM entities WHERE show_id = :s AND path = :p",
                         {{"s", show.text("id")}, {"p", parent}}))
    return row->text("id");
  return production::find_entity(c, parent).text("id");
}

Reply list_of(Call& call, const std::string& kind) {
  const db::Lease c = call.studio.database().connect();
  const db::Row show = production::find_show(*c, call.text("show"));
  require_reading(call, show.text("id"));
  return list_reply(production::entities(*c, {.show_id = show.text("id"),
                                              .kind = kind,
                                              .parent_id = id_of_parent(*c, show, call.text("parent")),
                                              .asset_type = call.text("asset_type"),
                                              .status = call.text("status"),
                                              .search = call.text("search"),
                                              .page = page_query(call)}));
}

Reply create_kind(Call& call, const std::string& kind) {
  const db::Row show = production::find_show(*call.studio.database().connect(), call.text("show"));
  return document_reply(
      changing(call, Action::structure_edit, show.text("id"),
               [&](const Change& change) {
                 const std::string id =
                     production::create_entity(change, show,
                                               {.kind = kind,
                                                .parent_id = id_of_parent(*change, show, call.text("parent")),
                                                .code = call.text("code"),
                                                .name = call.text("name"),
                                                .brief = call.text("brief"),
                                                .asset_type = call.text("asset_type"),
                                                .data = call.arguments.value("data", Json::object())});
                 return production::entity_document(*change, production::find_entity(*change, id));
               }),
      true);
}

Reply list(Call& call) { return list_of(call, call.text("kind")); }
Reply create(Call& call) { return create_kind(call, call.text("kind")); }

Reply info(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return document_reply(production::entity_document(*c, entity_of(call, *c)));
}

Reply update(Call& call) {
  const db::Row row = production::find_entity(*call.studio.database().connect(), call.text("entity"));
  return document_reply(
      changing(call, Action::structure_edit, row.text("show_id"), [&](const Change& change) {
        change.tx.lock_row("entities", row.text("id"));
        production::update_entity(change, production::find_entity(*change, row.text("id")),
                                  {.name = call.optional_text("name"),
                                   .brief = call.optional_text("brief"),
                                   .status = call.optional_text("status"),
                                   .asset_type = call.optional_text("asset_type"),
                                   .data = call.arguments.value("data", Json()),
                                   .seen_version = call.if_match});
        return production::entity_document(*change, production::find_entity(*change, row.text("id")));
      }));
}

// A list that is changed as a whole: its content is its version.
Reply casting_reply(const std::vector<Json>& items) {
  Reply reply = list_reply(items);
  reply.version = production::version_of(reply.body);
  return reply;
}

Reply casting(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return casting_reply(production::casting(*c, entity_of(call, *c)));
}

Reply cast_times(Call& call, int64_t count) {
  const db::Row shot = production::find_entity(*call.studio.database().connect(), call.text("entity"));
  return changing(call, Action::structure_edit, shot.text("show_id"), [&](const Change& change) {
    change.tx.lock_row("entities", shot.text("id"));
    production::require_version(*casting_reply(production::casting(*change, shot)).version, call.if_match);
    const db::Row show = production::find_show(*change, shot.text("show_id"));
    const db::Row asset = production::find_entity(*change, id_of_parent(*change, show, call.text("asset")));
    production::cast(change, shot, asset, count, call.text("label"));
    return casting_reply(production::casting(*change, shot));
  });
}

Reply cast(Call& call) { return cast_times(call, call.integer("count", 1)); }
Reply uncast(Call& call) { return cast_times(call, 0); }

Reply board(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row show = production::find_show(*c, call.text("show"));
  require_reading(call, show.text("id"));
  production::BoardQuery query{.show_id = show.text("id"),
                               .kind = call.text("kind", "shot"),
                               .search = call.text("search"),
                               .page = page_query(call),
                               .offset = call.integer("offset")};
  if (query.offset < 0)
    throw Error(ErrorCode::usage, "cannot pass over {} lines", query.offset).with("expected", "0 or more");
  if (call.has("task_type"))
    query.task_type_id =
        production::find_type(*c, "task_types", query.show_id, call.text("task_type")).text("id");
  if (call.has("status"))
    query.status_id =
        production::find_type(*c, "task_statuses", query.show_id, call.text("status")).text("id");
  const production::Board board = production::board(*c, query);
  Json document = board.page.document();
  document["total"] = board.total;
  document["offset"] = query.offset;
  return {.body = document};
}

std::vector<Parameter> creation(bool with_kind) {
  std::vector<Parameter> list = {kShow};
  if (with_kind) list.push_back({"kind", Place::body, Kind::text, "episode, sequence, shot or asset", true});
  list.insert(list.end(),
              {{"code", Place::body, Kind::text, "short name, part of file names", true},
               {"parent", Place::body, Kind::text, "path or id of the sequence or episode it is in"},
               {"name", Place::body, Kind::text, "as people see it"},
               {"brief", Place::body, Kind::text, "what it is about"},
               {"asset_type", Place::body, Kind::text,
                "background, texture, set-element, prop, concept, or the show's own"},
               {"data", Place::body, Kind::object, "frames, cut in and out, and the studio's own fields"}});
  return list;
}

// `maquette shot create SHOW CODE`, `maquette asset list SHOW`: the same as "entity ..." with the kind said.
Reply sequence_list(Call& call) { return list_of(call, "sequence"); }
Reply shot_list(Call& call) { return list_of(call, "shot"); }
Reply asset_list(Call& call) { return list_of(call, "asset"); }
Reply episode_list(Call& call) { return list_of(call, "episode"); }
Reply sequence_create(Call& call) { return create_kind(call, "sequence"); }
Reply shot_create(Call& call) { return create_kind(call, "shot"); }
Reply asset_create(Call& call) { return create_kind(call, "asset"); }
Reply episode_create(Call& call) { return create_kind(call, "episode"); }

}  // namespace

std::vector<Operation> entity_operations() {
  const std::vector<Parameter> filters =
      with_paging({kShow,
                   {"parent", Place::query, Kind::text, "only inside this sequence or episode"},
                   {"asset_type", Place::query, Kind::text, "only assets of this type"},
                   {"status", Place::query, Kind::text, "standby, running, complete or canceled"},
                   {"search", Place::query, Kind::text, "part of the path or the name"}});
  std::vector<Parameter> all_filters = filters;
  all_filters.push_back({"kind", Place::query, Kind::text, "episode, sequence, shot or asset"});
  return {
      {"entity list", "GET", "/shows/{show}/entities", Action::show_read,
       "shots, sequences, episodes and assets", "maquette entity list lanterns --search sh02", all_filters,
       false, list},
      {"entity create", "POST", "/shows/{show}/entities", Action::structure_edit,
       "add an episode, sequence, shot or asset", "maquette entity create lanterns shot sh020 --parent sq010",
       creation(true), false, create},
      {"entity info",
       "GET",
       "/entities/{entity}",
       Action::show_read,
       "a shot, sequence, episode or asset",
       "maquette entity info lanterns/sq010/sh020",
       {kEntity},
       false,
       info},
      {"entity update",
       "PATCH",
       "/entities/{entity}",
       Action::structure_edit,
       "change a shot, sequence, episode or asset",
       "maquette entity update lanterns/sq010/sh020 --brief \"dusk, seen from the bridge\"",
       {kEntity,
        {"name", Place::body, Kind::text, "as people see it"},
        {"brief", Place::body, Kind::text, "what it is about"},
        {"status", Place::body, Kind::text, "standby, running, complete or canceled"},
        {"asset_type", Place::body, Kind::text, "of an asset"},
        {"data", Place::body, Kind::object, "only what changes; null removes"}},
       false,
       update},
      {"episode list", "GET", "/shows/{show}/episodes", Action::show_read, "the episodes of a show",
       "maquette episode list lanterns", filters, false, episode_list},
      {"episode create", "POST", "/shows/{show}/episodes", Action::structure_edit, "add an episode",
       "maquette episode create lanterns ep01", creation(false), false, episode_create},
      {"sequence list", "GET", "/shows/{show}/sequences", Action::show_read, "the sequences of a show",
       "maquette sequence list lanterns", filters, false, sequence_list},
      {"sequence create", "POST", "/shows/{show}/sequences", Action::structure_edit, "add a sequence",
       "maquette sequence create lanterns sq010 --name \"The harbour\"", creation(false), false,
       sequence_create},
      {"shot list", "GET", "/shows/{show}/shots", Action::show_read, "the shots of a show",
       "maquette shot list lanterns --parent sq010", filters, false, shot_list},
      {"shot create", "POST", "/shows/{show}/shots", Action::structure_edit, "add a shot",
       "maquette shot create lanterns sh020 --parent sq010 --brief \"the pier at dusk\"", creation(false),
       false, shot_create},
      {"asset list", "GET", "/shows/{show}/assets", Action::show_read, "the assets of a show",
       "maquette asset list lanterns --asset-type texture", filters, false, asset_list},
      {"asset create", "POST", "/shows/{show}/assets", Action::structure_edit, "add an asset",
       "maquette asset create lanterns wet-stone --asset-type texture", creation(false), false, asset_create},
      {"cast list",
       "GET",
       "/entities/{entity}/casting",
       Action::show_read,
       "the assets of a shot, or the shots of an asset",
       "maquette cast list lanterns/sq010/sh020",
       {kEntity},
       false,
       casting},
      {"cast set",
       "PUT",
       "/entities/{entity}/casting/{asset}",
       Action::structure_edit,
       "cast an asset in a shot",
       "maquette cast set lanterns/sq010/sh020 lamp --count 12",
       {kEntity,
        {"asset", Place::path, Kind::text, "path or id of the asset", true},
        {"count", Place::body, Kind::integer, "how many; left out: 1"},
        {"label", Place::body, Kind::text, "for example \"in the background\""}},
       false,
       cast},
      {"cast remove",
       "DELETE",
       "/entities/{entity}/casting/{asset}",
       Action::structure_edit,
       "take an asset out of a shot",
       "maquette cast remove lanterns/sq010/sh020 lamp",
       {kEntity, {"asset", Place::path, Kind::text, "path or id of the asset", true}},
       false,
       uncast},
      {"board", "GET", "/shows/{show}/board", Action::show_read, "shots with the state of their tasks",
       "maquette board lanterns --status wfa",
       with_paging({kShow,
                    {"kind", Place::query, Kind::text, "shot (left out), asset, sequence or episode"},
                    {"search", Place::query, Kind::text, "part of the path or the name"},
                    {"status", Place::query, Kind::text, "with a task in this status"},
                    {"task_type", Place::query, Kind::text, "with a task of this type"},
                    {"offset", Place::query, Kind::integer, "lines to pass over, to jump in a long list"}}),
       false, board},
  };
}

}  // namespace maquette::app
