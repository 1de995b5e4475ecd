#include "production/takes.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/identifiers.h"
#include "base/text.h"
#include "production/file_store.h"
#include "production/references.h"
#include "production/take_search.h"

namespace maquette::production {

namespace {

constexpr std::string_view kRelations[] = {"init", "source", "mask", "control", "layer", "retake"};
constexpr std::string_view kRepresentations[] = {"png", "jpeg",  "tiff",    "webp", "exr",  "ora",
                                                 "psd", "layer", "strokes", "mask", "init", "control"};

std::string name_of(db::Connection& c, const db::Row& take) {
  return task_name(c, find_task(c, take.text("task_id"))) + "/" +
         take_label(take.integer("revision"), take.integer("number"));
}

void log_take(const Change& change, const db::Row& take, std::string_view action, Json before, Json after) {
  change.log({.action = action,
              .subject_kind = "take",
              .subject_id = take.text("id"),
              .subject_name = name_of(*change, take),
              .show_id = take.text("show_id"),
              .before = std::move(before),
              .after = std::move(after)});
}

void require_files(const Change& change, const std::string& show_id, const NewTake& take) {
  find_file(*change, show_id, take.sha256);
  find_file(*change, show_id, take.thumbnail);
  for (const TakeFile& file : take.files) {
    require_one_of(kRepresentations, file.representation, "representation of a take");
    require_name(file.name, "a file");
    find_file(*change, show_id, file.sha256);
  }
}

void touch(const Change& change, const db::Row& take, db::Bindings columns) {
  columns.push_back({"version", take.integer("version") + 1});
  change->update("takes", columns, {"id", take.text("id")});
  refresh_take_search(change, take.text("id"));
}

}  // namespace

std::string file_take(const Change& change, const db::Row& known_task, const NewTake& take) {
  require_one_of(kTakeOrigins, take.origin, "origin of a take");
  if (!take.title.empty()) require_name(take.title, "a take");
  const std::string show_id = known_task.text("show_id");
  require_files(change, show_id, take);

  // The row of the task gives out the numbers, to one at a time.
  change.tx.lock_row("tasks", known_task.text("id"));
  const db::Row task = find_task(*change, known_task.text("id"));
  const std::string task_id = task.text("id");
  const int64_t revision = task.integer("revision");
  const int64_t number =
      change
          ->first("SELECT max(number) AS n FROM takes WHERE task_id = :t AND revision = :v",
                  {{"t", task_id}, {"v", revision}})
          ->integer("n") +
      1;
  const std::string id = new_uuid();
  const std::string name_of_task = task_name(*change, task);
  change->insert("takes", {{"id", id},
                           {"show_id", show_id},
                           {"task_id", task_id},
                           {"revision", revision},
                           {"number", number},
                           {"origin", take.origin},
                           {"title", take.title},
                           {"sha256", take.sha256},
                           {"thumbnail", take.thumbnail},
                           {"width", take.width},
                           {"height", take.height},
                           {"recipe", take.recipe.is_null() ? db::Value() : db::Value(take.recipe.dump())},
                           {"seed", take.seed},
                           {"model", take.model},
                           {"prompt", take.prompt},
                           {"proof", take.proof.is_null() ? db::Value() : db::Value(take.proof.dump())},
                           {"job_id", db::or_null(take.job_id)},
                           {"search_text",
                            take_search_text(name_of_task, take.title, take.prompt, take.model, take.seed)},
                           {"facets", take_facets({.show_id = show_id,
                                                   .task_id = task_id,
                                                   .origin = take.origin,
                                                   .model = take.model,
                                                   .created_by = change.actor.person_id})},
                           {"created_by", change.actor.person_id},
                           {"created_at", utc_now()}});
  for (const TakeFile& file : take.files) {
    change->insert("take_files", {{"take_id", id},
                                  {"representation", file.representation},
                                  {"name", file.name},
                                  {"sha256", file.sha256}});
  }
  Json parents = Json::array();
  for (const TakeParent& parent : take.parents) {
    require_one_of(kRelations, parent.relation, "relation of a take");
    const db::Row row = find_take(*change, parent.take_id);
    if (row.text("show_id") != show_id)
      throw Error(ErrorCode::usage, "the parent take belongs to another show");
    change->insert("take_parents",
                   {{"take_id", id}, {"parent_id", row.text("id")}, {"relation", parent.relation}});
    parents.push_back({{"take", row.text("id")}, {"relation", parent.relation}});
  }
  change->execute("UPDATE tasks SET take_count = take_count + 1 WHERE id = :t", {{"t", task_id}});
  change->execute("UPDATE entities SET thumbnail_take_id = :k WHERE id = :e AND thumbnail_take_id IS NULL",
                  {{"k", id}, {"e", task.text("entity_id")}});
  change.log({.action = "take:new",
              .subject_kind = "take",
              .subject_id = id,
              .subject_name = name_of_task + "/" + take_label(revision, number),
              .show_id = show_id,
              .after = {{"task", task_id},
                        {"origin", take.origin},
                        {"sha256", take.sha256},
                        {"parents", parents},
                        {"job", take.job_id}}});
  return id;
}

void rename_take(const Change& change, const db::Row& take, const std::string& title,
                 std::optional<int64_t> seen_version) {
  require_version(take, seen_version);
  if (!title.empty()) require_name(title, "a take");
  if (title == take.text("title")) return;
  touch(change, take, {{"title", title}});
  log_take(change, take, "take:update", {{"title", take.text("title")}}, {{"title", title}});
}

void add_take_file(const Change& change, const db::Row& take, const TakeFile& file) {
  require_one_of(kRepresentations, file.representation, "representation of a take");
  require_name(file.name, "a file");
  find_file(*change, take.text("show_id"), file.sha256);
  change->insert("take_files", {{"take_id", take.text("id")},
                                {"representation", file.representation},
                                {"name", file.name},
                                {"sha256", file.sha256}});
  touch(change, take, {});
  log_take(change, take, "take:file-add", {},
           {{"representation", file.representation}, {"name", file.name}, {"sha256", file.sha256}});
}

void set_proof(const Change& change, const db::Row& take, const Json& proof) {
  touch(change, take, {{"proof", proof.dump()}});
  log_take(change, take, "take:prove", json_of(take, "proof"), proof);
}

void mark_take(const Change& change, const db::Row& take, std::optional<int64_t> stars,
               const std::optional<std::string>& verdict) {
  const db::Bindings key = {{"t", take.text("id")}, {"p", change.actor.person_id}};
  const auto now = change->first("SELECT * FROM marks WHERE take_id = :t AND person_id = :p", key);
  const Json before =
      now ? Json{{"stars", now->integer("stars")}, {"verdict", now->text("verdict")}} : Json();
  const int64_t new_stars = stars.value_or(now ? now->integer("stars") : 0);
  const std::string new_verdict = verdict.value_or(now ? now->text("verdict") : "neutral");
  if (new_stars < 0 || new_stars > 5)
    throw Error(ErrorCode::usage, "a take has 0 to 5 stars").with("found", new_stars);
  if (new_verdict != "neutral" && new_verdict != "validated" && new_verdict != "rejected") {
    throw Error(ErrorCode::usage, "cannot use this verdict")
        .with("found", new_verdict)
        .with("expected", "neutral, validated, rejected");
  }
  change->execute("DELETE FROM marks WHERE take_id = :t AND person_id = :p", key);
  change->insert("marks", {{"take_id", take.text("id")},
                           {"person_id", change.actor.person_id},
                           {"stars", new_stars},
                           {"verdict", new_verdict},
                           {"updated_at", utc_now()}});
  refresh_take_search(change, take.text("id"));
  log_take(change, take, "take:mark", before, {{"stars", new_stars}, {"verdict", new_verdict}});
}

// --- approval ---

namespace {

// Moves the pointer, with its line of history. take_id empty: to no take.
void point_to(const Change& change, const db::Row& task, const std::string& take_id,
              const std::string& reason) {
  change->insert("approvals", {{"task_id", task.text("id")},
                               {"take_id", db::or_null(take_id)},
                               {"person_id", change.actor.person_id},
                               {"role", change.actor.role},
                               {"reason", reason},
                               {"at", utc_now()}});
  change->update("tasks",
                 {{"approved_take_id", db::or_null(take_id)}, {"version", task.integer("version") + 1}},
                 {"id", task.text("id")});
  if (!task.is_null("approved_take_id")) refresh_take_search(change, task.text("approved_take_id"));
  if (!take_id.empty()) refresh_take_search(change, take_id);
  if (!take_id.empty())
    change->update("entities", {{"thumbnail_take_id", take_id}}, {"id", task.text("entity_id")});
}

db::Row locked_task(const Change& change, const std::string& id) {
  change.tx.lock_row("tasks", id);
  return find_task(*change, id);
}

}  // namespace

void approve_take(const Change& change, const db::Row& take, const std::string& reason) {
  const db::Row task = locked_task(change, take.text("task_id"));
  if (!take.is_null("withdrawn_at")) {
    throw Error(ErrorCode::conflict, "a withdrawn take cannot be approved").hint("restore it first");
  }
  if (task.text("approved_take_id") == take.text("id")) return;
  point_to(change, task, take.text("id"), reason);
  log_take(change, take, "take:approve", {{"approved", text_or_null(task, "approved_take_id")}},
           {{"approved", take.text("id")}, {"reason", reason}});
}

void unapprove(const Change& change, const db::Row& known_task, const std::string& reason) {
  const db::Row task = locked_task(change, known_task.text("id"));
  if (task.is_null("approved_take_id")) return;
  const db::Row take = find_take(*change, task.text("approved_take_id"));
  point_to(change, task, "", reason);
  log_take(change, take, "take:unapprove", {{"approved", take.text("id")}},
           {{"approved", nullptr}, {"reason", reason}});
}

void withdraw_take(const Change& change, const db::Row& take, const std::string& reason) {
  const db::Row task = locked_task(change, take.text("task_id"));
  if (task.text("approved_take_id") == take.text("id")) {
    throw Error(ErrorCode::conflict, "the approved take cannot be withdrawn")
        .hint("approve another one first, or take the approval back");
  }
  if (!take.is_null("withdrawn_at")) return;
  touch(change, take, {{"withdrawn_at", utc_now()}});
  log_take(change, take, "take:withdraw", {}, {{"reason", reason}});
}

void restore_take(const Change& change, const db::Row& take, const std::string& reason) {
  if (take.is_null("withdrawn_at")) return;
  if (!take.is_null("purged_at")) throw Error(ErrorCode::conflict, "a purged take has no picture any more");
  touch(change, take, {{"withdrawn_at", db::Value()}});
  log_take(change, take, "take:restore", {}, {{"reason", reason}});
}

namespace {

// Whether something of the show that is not purged still refers to the file: a take, a brief, somebody's
// canvas, a job that is not over.
bool is_needed(db::Connection& c, const std::string& show_id, const std::string& file) {
  constexpr std::string_view kQuestions[] = {
      "SELECT id FROM takes WHERE show_id = :s AND sha256 = :h AND purged_at IS NULL LIMIT 1",
      "SELECT id FROM takes WHERE show_id = :s AND thumbnail = :h LIMIT 1",
      "SELECT f.take_id FROM take_files f JOIN takes t ON t.id = f.take_id WHERE f.sha256 = :h AND t.show_id "
      "= :s "
      "AND t.purged_at IS NULL LIMIT 1",
      "SELECT r.task_id FROM task_references r JOIN tasks k ON k.id = r.task_id WHERE r.sha256 = :h AND "
      "k.show_id = :s LIMIT 1",
      "SELECT v.task_id FROM canvases v JOIN tasks k ON k.id = v.task_id WHERE k.show_id = :s AND v.document "
      "LIKE "
      "'%' || :h || '%' LIMIT 1",
      "SELECT id FROM jobs WHERE show_id = :s AND state IN ('queued', 'running', 'failed', 'canceled') AND "
      "request "
      "LIKE '%' || :h || '%' LIMIT 1"};
  const db::Bindings key = {{"s", show_id}, {"h", file}};
  return std::ranges::any_of(kQuestions, [&](std::string_view sql) { return c.first(sql, key).has_value(); });
}

}  // namespace

void log_replay(const Change& change, const db::Row& take, const Json& outcome) {
  log_take(change, take, "take:replay", {}, outcome);
}

std::vector<std::string> purge_take(const Change& change, const db::Row& take, const std::string& reason) {
  if (take.is_null("withdrawn_at"))
    throw Error(ErrorCode::conflict, "only withdrawn takes can be purged").hint("withdraw it first");
  if (!take.is_null("purged_at")) return {};
  const std::string show_id = take.text("show_id");
  touch(change, take, {{"purged_at", utc_now()}});
  std::set<std::string> files = {take.text("sha256")};  // the thumbnail stays, for the record
  for (const db::Row& row :
       change->query("SELECT sha256 FROM take_files WHERE take_id = :t", {{"t", take.text("id")}}))
    files.insert(row.text("sha256"));
  std::vector<std::string> freed;
  for (const std::string& file : files) {
    const db::Bindings key = {{"s", show_id}, {"h", file}};
    if (is_needed(*change, show_id, file)) continue;
    change->execute("UPDATE files SET purged_at = :at WHERE show_id = :s AND sha256 = :h",
                    {{"at", utc_now()}, {"s", show_id}, {"h", file}});
    freed.push_back(file);
  }
  log_take(change, take, "take:purge", {}, {{"reason", reason}, {"files", freed}});
  return freed;
}

std::vector<Json> approvals(db::Connection& c, const db::Row& task) {
  std::vector<Json> list;
  for (const db::Row& row : c.query("SELECT a.*, p.name FROM approvals a JOIN people p ON p.id = a.person_id "
                                    "WHERE a.task_id = :t ORDER BY a.seq",
                                    {{"t", task.text("id")}})) {
    list.push_back({{"take_id", text_or_null(row, "take_id")},
                    {"person", {{"id", row.text("person_id")}, {"name", row.text("name")}}},
                    {"role", row.text("role")},
                    {"reason", row.text("reason")},
                    {"at", row.text("at")}});
  }
  return list;
}

}  // namespace maquette::production
