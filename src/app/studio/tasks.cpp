#include "production/tasks.h"

#include "app/studio/handlers.h"
#include "app/studio/operations.h"
#include "base/identifiers.h"
#include "production/references.h"
#include "production/takes.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;

constexpr Parameter kTask = {"task", Place::path, Kind::text,
                             "id, or SHOW/PATH:TYPE as in lanterns/sq010/sh020:background", true};

db::Row task_of(const Call& call, db::Connection& c) {
  db::Row row = production::find_task(c, call.text("task"));
  require_reading(call, row.text("show_id"));
  return row;
}

std::string show_of_task(const Call& call) {
  return production::find_task(*call.studio.database().connect(), call.text("task")).text("show_id");
}

Reply list(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row show = production::find_show(*c, call.text("show"));
  require_reading(call, show.text("id"));
  production::TaskQuery query{
      .show_id = show.text("id"), .search = call.text("search"), .page = page_query(call)};
  if (call.has("status"))
    query.status_id =
        production::find_type(*c, "task_statuses", query.show_id, call.text("status")).text("id");
  if (call.has("task_type"))
    query.task_type_id =
        production::find_type(*c, "task_types", query.show_id, call.text("task_type")).text("id");
  if (call.has("assignee")) query.assignee_id = production::find_person(*c, call.text("assignee")).text("id");
  if (call.has("entity")) query.entity_id = production::find_entity(*c, call.text("entity")).text("id");
  return list_reply(production::tasks(*c, query));
}

Reply create(Call& call) {
  const db::Row entity = production::find_entity(*call.studio.database().connect(), call.text("entity"));
  return document_reply(
      changing(call, Action::task_edit, entity.text("show_id"),
               [&](const Change& change) {
                 const std::string id = production::create_task(change, entity,
                                                                {.task_type = call.text("task_type"),
                                                                 .brief = call.text("brief"),
                                                                 .assignees = call.list("assignees"),
                                                                 .priority = call.integer("priority"),
                                                                 .due_at = call.optional_text("due_at")});
                 return production::task_document(*change, production::find_task(*change, id));
               }),
      true);
}

Reply info(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return document_reply(production::task_document(*c, task_of(call, *c)));
}

// The task in the version that the caller saw, if they say so.
db::Row seen_task(const Call& call, const Change& change) {
  const std::string id = production::find_task(*change, call.text("task")).text("id");
  change.tx.lock_row("tasks", id);
  db::Row row = production::find_task(*change, id);
  production::require_version(row, call.if_match);
  return row;
}

Reply update(Call& call) {
  return document_reply(changing(call, Action::task_edit, show_of_task(call), [&](const Change& change) {
    const db::Row row = seen_task(call, change);
    production::TaskUpdate update{.brief = call.optional_text("brief"),
                                  .due_at = call.optional_text("due_at")};
    if (call.has("priority")) update.priority = call.integer("priority");
    if (call.has("max_retakes")) update.max_retakes = call.integer("max_retakes", -1);
    if (call.has("assignees")) update.assignees = call.list("assignees");
    production::update_task(change, row, update);
    return production::task_document(*change, production::find_task(*change, row.text("id")));
  }));
}

Reply add_reference(Call& call) {
  return document_reply(changing(call, Action::task_edit, show_of_task(call), [&](const Change& change) {
    const db::Row row = seen_task(call, change);
    production::set_reference(change, row, call.text("sha256"), call.text("name", "reference"));
    return production::task_document(*change, row);
  }));
}

Reply remove_reference(Call& call) {
  return document_reply(changing(call, Action::task_edit, show_of_task(call), [&](const Change& change) {
    const db::Row row = seen_task(call, change);
    production::remove_reference(change, row, call.text("sha256"));
    return production::task_document(*change, row);
  }));
}

Reply comments(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return list_reply(production::comments(*c, task_of(call, *c).text("id"), page_query(call)));
}

Reply comment(Call& call) {
  const std::string show_id = show_of_task(call);
  return document_reply(
      changing(call, Action::comment_write, show_id,
               [&](const Change& change) {
                 const db::Row row = seen_task(call, change);
                 const std::string take = call.text("take");
                 production::comment(
                     change, row,
                     {.text = call.text("text"),
                      .status = call.text("status"),
                      .take_id = take.empty() ? "" : production::find_take(*change, take).text("id"),
                      .annotation_id = call.text("annotation"),
                      .said_at = call.text("said_at"),
                      .may_set_any_status = call.caller.role_for(Action::status_any, show_id).has_value()});
                 return production::task_document(*change, production::find_task(*change, row.text("id")));
               }),
      true);
}

Reply approvals(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return list_reply(production::approvals(*c, task_of(call, *c)));
}

Reply unapprove(Call& call) {
  return document_reply(changing(call, Action::take_approve, show_of_task(call), [&](const Change& change) {
    const db::Row row = seen_task(call, change);
    production::unapprove(change, row, call.text("reason"));
    return production::task_document(*change, row);
  }));
}

// --- the canvas: the caller's own, of this task ---

Reply canvas(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const auto row = c->first("SELECT * FROM canvases WHERE task_id = :t AND person_id = :p",
                            {{"t", task_of(call, *c).text("id")}, {"p", call.caller.person_id}});
  if (!row) return {.body = {{"document", nullptr}, {"version", 0}}, .version = 0};
  return document_reply({{"document", production::json_of(*row, "document")},
                         {"updated_at", row->text("updated_at")},
                         {"version", row->integer("version")}});
}

Reply save_canvas(Call& call) {
  constexpr size_t kMost = size_t{8} << 20;
  const std::string document = call.arguments.at("document").dump();
  if (document.size() > kMost)
    throw Error(ErrorCode::usage, "the canvas is too large")
        .with("found", document.size())
        .with("expected", kMost)
        .hint("keep pixels as files");
  return document_reply(changing(call, Action::take_file, show_of_task(call), [&](const Change& change) {
    const std::string task = production::find_task(*change, call.text("task")).text("id");
    change.tx.lock_row("tasks", task);
    const db::Bindings key = {{"t", task}, {"p", call.caller.person_id}};
    const auto now = change->first("SELECT version FROM canvases WHERE task_id = :t AND person_id = :p", key);
    const int64_t version = now ? now->integer("version") : 0;
    production::require_version(version, call.if_match);
    // Kept for the artist, not for the record: what becomes a take is logged then.
    change->execute("DELETE FROM canvases WHERE task_id = :t AND person_id = :p", key);
    change->insert("canvases", {{"task_id", task},
                                {"person_id", call.caller.person_id},
                                {"document", document},
                                {"updated_at", utc_now()},
                                {"version", version + 1}});
    return Json{{"version", version + 1}};
  }));
}

}  // namespace

std::vector<Operation> task_operations() {
  return {
      {"task list", "GET", "/shows/{show}/tasks", Action::show_read, "the tasks of a show",
       "maquette task list lanterns --status wfa",
       with_paging({{"show", Place::path, Kind::text, "code or id of the show", true},
                    {"status", Place::query, Kind::text, "only in this status"},
                    {"task_type", Place::query, Kind::text, "only of this type"},
                    {"assignee", Place::query, Kind::text, "only of this person"},
                    {"entity", Place::query, Kind::text, "only of this shot or asset"},
                    {"search", Place::query, Kind::text, "part of the path"}}),
       false, list},
      {"task create",
       "POST",
       "/entities/{entity}/tasks",
       Action::task_edit,
       "give a shot or asset a task",
       "maquette task create lanterns/sq010/sh020 background --brief \"sunset, red mesas, ringed planet\"",
       {{"entity", Place::path, Kind::text, "id, or SHOW/PATH", true},
        {"task_type", Place::body, Kind::text, "code of the type", true},
        {"brief", Place::body, Kind::text, "what is wanted"},
        {"assignees", Place::body, Kind::list, "who does it"},
        {"priority", Place::body, Kind::integer, "larger is more urgent"},
        {"due_at", Place::body, Kind::text, "2026-12-24"}},
       false,
       create},
      {"task info",
       "GET",
       "/tasks/{task}",
       Action::show_read,
       "a task",
       "maquette task info lanterns/sq010/sh020:background",
       {kTask},
       false,
       info},
      {"task update",
       "PATCH",
       "/tasks/{task}",
       Action::task_edit,
       "change a task",
       "maquette task update lanterns/sq010/sh020:background --brief \"later: night\"",
       {kTask,
        {"brief", Place::body, Kind::text, "what is wanted"},
        {"assignees", Place::body, Kind::list, "who does it"},
        {"priority", Place::body, Kind::integer, "larger is more urgent"},
        {"due_at", Place::body, Kind::text, "2026-12-24; empty: none"},
        {"max_retakes", Place::body, Kind::integer, "cap on retakes; 0: none, -1: the show's"}},
       false,
       update},
      {"task reference-add",
       "PUT",
       "/tasks/{task}/references/{sha256}",
       Action::task_edit,
       "add a picture to the brief",
       "maquette task reference-add lanterns/sq010/sh020:background HASH --name mood",
       {kTask,
        {"sha256", Place::path, Kind::text, "a file of the show", true},
        {"name", Place::body, Kind::text, "as people see it"}},
       false,
       add_reference},
      {"task reference-remove",
       "DELETE",
       "/tasks/{task}/references/{sha256}",
       Action::task_edit,
       "take a picture out of the brief",
       "maquette task reference-remove lanterns/sq010/sh020:background HASH",
       {kTask, {"sha256", Place::path, Kind::text, "the file", true}},
       false,
       remove_reference},
      {"comment list", "GET", "/tasks/{task}/comments", Action::show_read, "what was said about a task",
       "maquette comment list lanterns/sq010/sh020:background", with_paging({kTask}), false, comments},
      {"comment create",
       "POST",
       "/tasks/{task}/comments",
       Action::comment_write,
       "say something, and set the status",
       "maquette comment create lanterns/sq010/sh020:background --text \"the horizon is too high\" --status "
       "retake",
       {kTask,
        {"text", Place::body, Kind::text, "what you say"},
        {"status", Place::body, Kind::text, "the status it sets"},
        {"take", Place::body, Kind::text, "the take it is about"},
        {"annotation", Place::body, Kind::text, "id of the drawing it belongs to"},
        {"said_at", Place::body, Kind::text, "when it was said, if not now; never rewinds the task"}},
       false,
       comment},
      {"approval list",
       "GET",
       "/tasks/{task}/approvals",
       Action::show_read,
       "which take was approved when, by whom",
       "maquette approval list lanterns/sq010/sh020:background",
       {kTask},
       false,
       approvals},
      {"task unapprove",
       "POST",
       "/tasks/{task}/unapprove",
       Action::take_approve,
       "take the approval back",
       "maquette task unapprove lanterns/sq010/sh020:background --reason \"the cut changed\"",
       {kTask, {"reason", Place::body, Kind::text, "why"}},
       false,
       unapprove},
      {"canvas show",
       "GET",
       "/tasks/{task}/canvas",
       Action::show_read,
       "your canvas of a task",
       "maquette canvas show lanterns/sq010/sh020:background --json",
       {kTask},
       false,
       canvas},
      {"canvas save",
       "PUT",
       "/tasks/{task}/canvas",
       Action::take_file,
       "keep your canvas of a task",
       "maquette canvas save lanterns/sq010/sh020:background --document '{\"layers\": []}'",
       {kTask, {"document", Place::body, Kind::json, "layers, strokes, undo", true}},
       false,
       save_canvas},
  };
}

}  // namespace maquette::app
