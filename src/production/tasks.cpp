#include "production/tasks.h"

#include <algorithm>
#include <map>

#include "base/identifiers.h"
#include "base/text.h"
#include "production/entities.h"
#include "production/references.h"

namespace maquette::production {

namespace {

db::Row default_status(const Change& change, const std::string& show_id) {
  return *change->first("SELECT * FROM task_statuses WHERE show_id = :s AND is_default = 1 AND archived = 0",
                        {{"s", show_id}});
}

std::vector<std::string> set_assignees(const Change& change, const std::string& task_id,
                                       const std::vector<std::string>& people) {
  std::vector<std::string> ids;
  for (const std::string& person : people) {
    const std::string id = find_person(*change, person).text("id");
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  }
  change->execute("DELETE FROM task_assignees WHERE task_id = :t", {{"t", task_id}});
  for (const std::string& id : ids)
    change->insert("task_assignees", {{"task_id", task_id}, {"person_id", id}});
  return ids;
}

void log_task(const Change& change, const db::Row& task, std::string_view action, Json before, Json after) {
  change.log({.action = action,
              .subject_kind = "task",
              .subject_id = task.text("id"),
              .subject_name = task_name(*change, task),
              .show_id = task.text("show_id"),
              .before = std::move(before),
              .after = std::move(after)});
}

}  // namespace

std::string create_task(const Change& change, const db::Row& entity, const NewTask& task) {
  const std::string show_id = entity.text("show_id");
  const db::Row type = find_type(*change, "task_types", show_id, task.task_type);
  if (!type.text("for_kind").empty() && type.text("for_kind") != entity.text("kind")) {
    throw Error(ErrorCode::usage, "tasks \"{}\" are for {}s", type.text("code"), type.text("for_kind"))
        .with("found", entity.text("kind"));
  }
  if (task.due_at) parse_utc(*task.due_at);
  const std::string id = new_uuid();
  const std::string now = utc_now();
  change->insert("tasks", {{"id", id},
                           {"show_id", show_id},
                           {"entity_id", entity.text("id")},
                           {"entity_path", entity.text("path")},
                           {"task_type_id", type.text("id")},
                           {"status_id", default_status(change, show_id).text("id")},
                           {"brief", task.brief},
                           {"priority", task.priority},
                           {"due_at", db::or_null(task.due_at)},
                           {"status_at", ""},
                           {"created_at", now}});
  const auto people = set_assignees(change, id, task.assignees);
  refresh_task_states(change, entity.text("id"));
  log_task(change, find_task(*change, id), "task:create", {}, {{"brief", task.brief}, {"assignees", people}});
  return id;
}

void update_task(const Change& change, const db::Row& task, const TaskUpdate& update) {
  require_version(task, update.seen_version);
  const std::string id = task.text("id");
  db::Bindings columns = {{"version", task.integer("version") + 1}};
  Json before, after;
  if (update.brief && *update.brief != task.text("brief")) {
    columns.push_back({"brief", *update.brief});
    before["brief"] = task.text("brief");
    after["brief"] = *update.brief;
  }
  if (update.due_at && *update.due_at != task.text("due_at")) {
    if (!update.due_at->empty()) parse_utc(*update.due_at);
    columns.push_back({"due_at", db::or_null(*update.due_at)});
    before["due_at"] = text_or_null(task, "due_at");
    after["due_at"] = *update.due_at;
  }
  if (update.priority && *update.priority != task.integer("priority")) {
    columns.push_back({"priority", *update.priority});
    before["priority"] = task.integer("priority");
    after["priority"] = *update.priority;
  }
  if (update.max_retakes) {
    columns.push_back(
        {"max_retakes", *update.max_retakes < 0 ? db::Value() : db::Value(*update.max_retakes)});
    before["max_retakes"] = task.is_null("max_retakes") ? Json() : Json(task.integer("max_retakes"));
    after["max_retakes"] = *update.max_retakes;
  }
  if (update.assignees) {
    std::vector<std::string> old;
    for (const db::Row& row :
         change->query("SELECT person_id FROM task_assignees WHERE task_id = :t", {{"t", id}})) {
      old.push_back(row.text("person_id"));
    }
    before["assignees"] = old;
    after["assignees"] = set_assignees(change, id, *update.assignees);
  }
  if (after.is_null()) return;
  change->update("tasks", columns, {"id", id});
  log_task(change, task, "task:update", before, after);
}

// --- reading ---

namespace {

constexpr std::string_view kTaskQuestion =
    "SELECT k.*, w.code AS show_code, e.kind AS entity_kind, e.name AS entity_name, y.code AS type_code, "
    "y.name AS type_name, "
    "y.color AS type_color, s.code AS status_code, s.name AS status_name, s.color AS status_color, (SELECT "
    "t.thumbnail FROM takes t "
    "WHERE t.id = k.approved_take_id) AS thumbnail FROM tasks k JOIN shows w ON w.id = k.show_id JOIN "
    "entities e ON e.id = k.entity_id "
    "JOIN task_types y ON y.id = k.task_type_id JOIN task_statuses s ON s.id = k.status_id";

Json document_of(const db::Row& row) {
  return {
      {"id", row.text("id")},
      {"reference", task_reference(row.text("show_code"), row.text("entity_path"), row.text("type_code"))},
      {"show_id", row.text("show_id")},
      {"show_code", row.text("show_code")},
      {"entity",
       {{"id", row.text("entity_id")},
        {"kind", row.text("entity_kind")},
        {"path", row.text("entity_path")},
        {"name", row.text("entity_name")}}},
      {"task_type",
       {{"id", row.text("task_type_id")},
        {"code", row.text("type_code")},
        {"name", row.text("type_name")},
        {"color", row.text("type_color")}}},
      {"status",
       {{"id", row.text("status_id")},
        {"code", row.text("status_code")},
        {"name", row.text("status_name")},
        {"color", row.text("status_color")}}},
      {"brief", row.text("brief")},
      {"priority", row.integer("priority")},
      {"revision", row.integer("revision")},
      {"retake_count", row.integer("retake_count")},
      {"max_retakes", row.is_null("max_retakes") ? Json() : Json(row.integer("max_retakes"))},
      {"approved_take_id", text_or_null(row, "approved_take_id")},
      {"thumbnail", text_or_null(row, "thumbnail")},
      {"take_count", row.integer("take_count")},
      {"assignees", Json::array()},
      {"due_at", text_or_null(row, "due_at")},
      {"started_at", text_or_null(row, "started_at")},
      {"done_at", text_or_null(row, "done_at")},
      {"created_at", row.text("created_at")},
      {"version", row.integer("version")}};
}

// Those of a whole page, in one question.
void add_assignees(db::Connection& c, std::vector<Json>& tasks) {
  if (tasks.empty()) return;
  std::map<std::string, Json*> by_id;
  std::vector<std::string> ids;
  for (Json& task : tasks) {
    ids.push_back(task["id"]);
    by_id[ids.back()] = &task;
  }
  const IdList list(ids);
  for (const db::Row& row :
       c.query(fmt::format("SELECT a.task_id, p.id, p.name FROM task_assignees a JOIN people p ON p.id = "
                           "a.person_id WHERE a.task_id IN ({}) ORDER BY p.name",
                           list.text()),
               list.bindings())) {
    (*by_id[row.text("task_id")])["assignees"].push_back(
        {{"id", row.text("id")}, {"name", row.text("name")}});
  }
}

}  // namespace

Json task_document(db::Connection& c, const db::Row& task) {
  const db::Bindings id = {{"t", task.text("id")}};
  std::vector<Json> one = {document_of(*c.first(fmt::format("{} WHERE k.id = :t", kTaskQuestion), id))};
  add_assignees(c, one);
  Json document = std::move(one[0]);
  document["references"] = Json::array();
  for (const db::Row& row :
       c.query("SELECT sha256, name FROM task_references WHERE task_id = :t ORDER BY name", id)) {
    document["references"].push_back({{"sha256", row.text("sha256")}, {"name", row.text("name")}});
  }
  return document;
}

// The ids of a page's tasks come from an index that holds what is asked for: of a person, of a shot, of a
// status or of the show.
std::vector<db::Row> task_rows(db::Connection& c, const TaskQuery& query) {
  Conditions where;
  std::string_view from = "tasks i";
  std::string show = "i.show_id";
  if (!query.entity_id.empty()) {
    where.add("i.entity_id = :entity", "entity", query.entity_id);
    show = without_index(show);
  } else if (!query.assignee_id.empty()) {
    show = without_index(show);
  }
  if (!query.assignee_id.empty()) {
    from = "task_assignees a CROSS JOIN tasks i";
    where.add("i.id = a.task_id AND a.person_id = :person", "person", query.assignee_id);
  }
  where.add(show + " = :show", "show", query.show_id);
  if (!query.status_id.empty()) {
    const bool few = !query.entity_id.empty() || !query.assignee_id.empty();
    where.add((few ? without_index("i.status_id") : "i.status_id") + " = :status", "status", query.status_id);
  }
  if (!query.task_type_id.empty()) where.add("i.task_type_id = :type", "type", query.task_type_id);
  if (!query.search.empty()) {
    where.add(c.backend() == db::Backend::sqlite ? "instr(lower(i.entity_path), :search) > 0"
                                                 : "strpos(lower(i.entity_path COLLATE \"C\"), :search) > 0",
              "search", lower_ascii(query.search));
  }
  // Tasks of one shot follow each other: the cursor is the path and the id.
  const std::string& after = query.page.after;
  if (const size_t bar = after.rfind('|'); bar != after.npos) {
    where.add("i.entity_path >= :after AND (i.entity_path > :after2 OR i.id > :after_id)", "after",
              after.substr(0, bar));
    where.bind("after2", after.substr(0, bar));
    where.bind("after_id", after.substr(bar + 1));
  }
  return c.query(
      fmt::format("SELECT q.* FROM (SELECT i.id FROM {}{} ORDER BY i.entity_path, i.id LIMIT :limit) p JOIN "
                  "({}) q ON q.id = p.id ORDER BY q.entity_path, q.id",
                  from, where.where(), kTaskQuestion),
      where.bindings(query.page));
}

Page tasks(db::Connection& c, const TaskQuery& query) {
  const auto rows = task_rows(c, query);
  Page page = page_of(rows, query.page, "id", document_of);
  add_assignees(c, page.items);
  if (!page.next.empty()) page.next = rows[page.items.size() - 1].text("entity_path") + "|" + page.next;
  return page;
}

namespace {

void touch(const Change& change, const db::Row& task) {
  change->update("tasks", {{"version", task.integer("version") + 1}}, {"id", task.text("id")});
}

}  // namespace

void set_reference(const Change& change, const db::Row& task, const std::string& sha256,
                   const std::string& name) {
  if (!change->first("SELECT sha256 FROM files WHERE show_id = :s AND sha256 = :h",
                     {{"s", task.text("show_id")}, {"h", sha256}})) {
    throw Error(ErrorCode::not_found, "the show has no such file")
        .with("found", sha256)
        .hint("upload it first");
  }
  require_name(name, "a reference");
  const db::Bindings key = {{"t", task.text("id")}, {"h", sha256}};
  change->execute("DELETE FROM task_references WHERE task_id = :t AND sha256 = :h", key);
  change->insert("task_references", {{"task_id", task.text("id")}, {"sha256", sha256}, {"name", name}});
  touch(change, task);
  log_task(change, task, "task:reference-add", {}, {{"sha256", sha256}, {"name", name}});
}

void remove_reference(const Change& change, const db::Row& task, const std::string& sha256) {
  if (change->execute("DELETE FROM task_references WHERE task_id = :t AND sha256 = :h",
                      {{"t", task.text("id")}, {"h", sha256}}) > 0) {
    touch(change, task);
    log_task(change, task, "task:reference-remove", {{"sha256", sha256}}, {});
  }
}

// --- comments and statuses ---

namespace {

int64_t cap_on_retakes(const Change& change, const db::Row& task) {
  if (!task.is_null("max_retakes")) return task.integer("max_retakes");
  const auto entity =
      change->first("SELECT data FROM entities WHERE id = :e", {{"e", task.text("entity_id")}});
  const Json data = json_of(*entity, "data");
  if (data.is_object() && data.contains("max_retakes") && data["max_retakes"].is_number_integer())
    return data["max_retakes"];
  const auto show = change->first("SELECT settings FROM shows WHERE id = :s", {{"s", task.text("show_id")}});
  return json_of(*show, "settings").value("max_retakes", int64_t{0});
}

void enter_status(const Change& change, const db::Row& task, const db::Row& status,
                  const std::string& said_at) {
  const bool changes = status.text("id") != task.text("status_id");
  db::Bindings columns = {
      {"status_id", status.text("id")}, {"status_at", said_at}, {"version", task.integer("version") + 1}};
  if (status.flag("is_retake") && changes) {
    const int64_t cap = cap_on_retakes(change, task);
    const int64_t retakes = task.integer("retake_count") + 1;
    if (cap > 0 && retakes > cap) {
      throw Error(ErrorCode::refused, "no more retakes are allowed on this task")
          .with("found", fmt::format("{} retakes", retakes - 1))
          .with("expected", fmt::format("at most {}", cap))
          .hint("the producer can raise the cap of the task or the show");
    }
    // What is painted from here on answers the retake: it is a new revision.
    columns.push_back({"retake_count", retakes});
    if (task.integer("take_count") > 0) columns.push_back({"revision", task.integer("revision") + 1});
  }
  if (status.flag("is_wip") && task.is_null("started_at")) columns.push_back({"started_at", said_at});
  columns.push_back({"done_at", status.flag("is_done") ? db::Value(said_at) : db::Value()});
  change->update("tasks", columns, {"id", task.text("id")});
  if (!changes) return;
  refresh_task_states(change, task.text("entity_id"));
  log_task(change, task, "task:status-changed", {{"status", task.text("status_id")}},
           {{"status", status.text("id")}, {"code", status.text("code")}});
  if (status.flag("is_feedback_request")) log_task(change, task, "task:to-review", {}, {});
}

}  // namespace

std::string comment(const Change& change, const db::Row& known_task, const NewComment& comment) {
  change.tx.lock_row("tasks", known_task.text("id"));
  const db::Row task = find_task(*change, known_task.text("id"));  // as it is now
  const std::string now = utc_now();
  const std::string said_at = comment.said_at.empty() ? now : utc_text(parse_utc(comment.said_at));
  if (said_at > now)
    throw Error(ErrorCode::usage, "a comment cannot be dated into the future").with("found", comment.said_at);
  std::optional<db::Row> status;
  if (!comment.status.empty()) {
    status = find_type(*change, "task_statuses", task.text("show_id"), comment.status);
    if (!comment.may_set_any_status && !status->flag("is_artist_allowed")) {
      throw Error(ErrorCode::refused, "artists may not set the status \"{}\"", status->text("name"));
    }
  } else if (trim(comment.text).empty()) {
    throw Error(ErrorCode::usage, "a comment needs a text or a status");
  }
  if (!comment.take_id.empty() && find_take(*change, comment.take_id).text("task_id") != task.text("id")) {
    throw Error(ErrorCode::usage, "the take belongs to another task");
  }
  const std::string id = new_uuid();
  change->insert("comments", {{"id", id},
                              {"show_id", task.text("show_id")},
                              {"task_id", task.text("id")},
                              {"take_id", db::or_null(comment.take_id)},
                              {"person_id", db::or_null(comment.guest.empty() ? change.actor.person_id : "")},
                              {"guest", comment.guest},
                              {"text", comment.text},
                              {"status_id", status ? db::Value(status->text("id")) : db::Value()},
                              {"annotation_id", db::or_null(comment.annotation_id)},
                              {"said_at", said_at},
                              {"created_at", now}});
  log_task(change, task, "comment:new", {},
           {{"comment", id}, {"take", comment.take_id}, {"status", status ? status->text("code") : ""}});
  // One that is dated before the last change of status says what was, not what is.
  if (status && said_at >= task.text("status_at")) enter_status(change, task, *status, said_at);
  return id;
}

Page comments(db::Connection& c, std::string_view task_id, const PageQuery& query) {
  Conditions where;
  where.add("m.task_id = :task", "task", std::string(task_id));
  if (const size_t bar = query.after.rfind('|'); bar != query.after.npos) {
    const int64_t seq = parse_integer(query.after.substr(bar + 1)).value_or(0);
    where.add("(m.said_at > :after OR (m.said_at = :after2 AND m.seq > :after_seq))", "after",
              query.after.substr(0, bar));
    where.bind("after2", query.after.substr(0, bar));
    where.bind("after_seq", seq);
  }
  const auto rows = c.query(
      "SELECT m.*, p.name AS person_name, s.code AS status_code, s.name AS status_name, s.color AS "
      "status_color "
      "FROM comments m LEFT JOIN people p ON p.id = m.person_id LEFT JOIN task_statuses s ON s.id = "
      "m.status_id" +
          where.where() + " ORDER BY m.said_at, m.seq LIMIT :limit",
      where.bindings(query));
  Page page = page_of(rows, query, "seq", [](const db::Row& row) {
    Json person, status;
    if (!row.is_null("person_id"))
      person = {{"id", row.text("person_id")}, {"name", row.text("person_name")}};
    if (!row.is_null("status_id")) {
      status = {{"id", row.text("status_id")},
                {"code", row.text("status_code")},
                {"name", row.text("status_name")},
                {"color", row.text("status_color")}};
    }
    return Json{{"id", row.text("id")},
                {"text", row.text("text")},
                {"person", person},
                {"guest", row.text("guest")},
                {"status", status},
                {"take_id", text_or_null(row, "take_id")},
                {"annotation_id", text_or_null(row, "annotation_id")},
                {"said_at", row.text("said_at")},
                {"created_at", row.text("created_at")}};
  });
  if (!page.next.empty()) page.next = rows[page.items.size() - 1].text("said_at") + "|" + page.next;
  return page;
}

}  // namespace maquette::production
