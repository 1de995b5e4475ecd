#include "production/jobs.h"

#include <algorithm>

#include "base/identifiers.h"
#include "base/process_mark.h"
#include "base/text.h"
#include "production/references.h"

namespace maquette::production {

namespace {

constexpr std::string_view kKindNames[] = {"preview", "retake", "generate"};
constexpr int64_t kMostCount = 100;
constexpr int64_t kMostAttempts = 3;

// Kinds are a hundred apart: people move jobs within their kind, or past it.
int64_t priority_of(JobKind kind) { return 100 * (static_cast<int64_t>(kind) + 1); }

void log_job(const Change& change, const db::Row& job, std::string_view action, Json after = {}) {
  change.log({.action = action,
              .subject_kind = "job",
              .subject_id = job.text("id"),
              .show_id = job.text("show_id"),
              .before = {{"state", job.text("state")}},
              .after = std::move(after)});
}

std::string lease_end(std::chrono::seconds length) {
  return utc_text(std::chrono::system_clock::now() + length);
}

// Of the process that new_runner() named.
bool is_gone(std::string_view runner) {
  return find_process(runner.substr(0, runner.find('/'))) == Whereabouts::gone;
}

void set_canceled(const Change& change, const db::Row& job) {
  change->update("jobs",
                 {{"state", "canceled"},
                  {"runner", ""},
                  {"finished_at", utc_now()},
                  {"version", job.integer("version") + 1}},
                 {"id", job.text("id")});
  log_job(change, job, "job:cancel", {{"state", "canceled"}});
}

// The job as it is now, nobody else's until the end of the transaction; none where it is not this runner's
// any more.
std::optional<db::Row> still_ours(const Change& change, const db::Row& job) {
  change.tx.lock_row("jobs", job.text("id"));
  db::Row now = find_job(*change, job.text("id"));
  if (now.text("state") == "running" && now.text("runner") == job.text("runner")) return now;
  return std::nullopt;
}

bool is_open(const db::Row& job) { return job.text("state") == "queued" || job.text("state") == "running"; }

}  // namespace

std::string_view name(JobKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

JobKind job_kind_named(std::string_view wanted) {
  const auto found = std::ranges::find(kKindNames, wanted);
  if (found == std::end(kKindNames)) {
    throw Error(ErrorCode::usage, "there is no kind of job \"{}\"", wanted)
        .with("expected", fmt::format("{}", fmt::join(kKindNames, ", ")));
  }
  return static_cast<JobKind>(found - std::begin(kKindNames));
}

int64_t quota(const Json& settings, Role role) {
  const Json quotas = settings.value("quotas", Json::object());
  if (const auto said = quotas.find(name(role)); said != quotas.end()) return said->get<int64_t>();
  if (!may(role, Action::take_generate)) return 0;
  if (role == Role::artist) return 64;
  return role == Role::trainer ? 32 : 256;
}

namespace {

// Pictures of one person in one show, counted by one transaction at a time.
void require_quota(const Change& change, const std::string& show_id, const std::string& person_id,
                   const std::set<Role>& roles, int64_t more) {
  change.tx.lock_row("people", person_id);
  const Json settings =
      json_of(*change->first("SELECT settings FROM shows WHERE id = :s", {{"s", show_id}}), "settings");
  int64_t most = 0;
  std::vector<std::string_view> names;
  for (const Role role : roles) {
    most = std::max(most, quota(settings, role));
    names.push_back(name(role));
  }
  const int64_t waiting =
      change
          ->first(
              "SELECT sum(count - made) AS n FROM jobs WHERE created_by = :p AND show_id = :s AND state "
              "IN ('queued', 'running')",
              {{"p", person_id}, {"s", show_id}})
          ->integer("n");
  if (waiting + more <= most) return;
  throw Error(ErrorCode::refused, "too many of your pictures are waiting")
      .with("found", fmt::format("{} and {} more", waiting, more))
      .with("expected", fmt::format("at most {} for {}", most, fmt::join(names, ", ")))
      .hint("wait, or cancel some of them; the show's setting \"quotas\" says how many");
}

}  // namespace

std::string queue_job(const Change& change, const db::Row& task, const NewJob& job) {
  if (job.count < 1 || job.count > kMostCount)
    throw Error(ErrorCode::usage, "a job makes 1 to {} pictures", kMostCount).with("found", job.count);
  require_quota(change, task.text("show_id"), change.actor.person_id,
                job.roles.empty() ? std::set{role_named(change.actor.role)} : job.roles, job.count);
  const std::string id = new_uuid();
  change->insert("jobs", {{"id", id},
                          {"show_id", task.text("show_id")},
                          {"task_id", task.text("id")},
                          {"kind", std::string(name(job.kind))},
                          {"priority", priority_of(job.kind)},
                          {"state", "queued"},
                          {"request", job.request.dump()},
                          {"model", job.model},
                          {"count", job.count},
                          {"created_by", change.actor.person_id},
                          {"role", change.actor.role},
                          {"created_at", utc_now()}});
  change.log({.action = "job:create",
              .subject_kind = "job",
              .subject_id = id,
              .show_id = task.text("show_id"),
              .after = {{"task", task.text("id")},
                        {"kind", name(job.kind)},
                        {"count", job.count},
                        {"request", job.request}}});
  return id;
}

void cancel_job(const Change& change, const db::Row& job) {
  change.tx.lock_row("jobs", job.text("id"));
  const db::Row now = find_job(*change, job.text("id"));
  if (!is_open(now)) return;
  // Whoever runs it sees the wish when it next renews its lease.
  if (now.text("state") == "running") {
    change->update("jobs", {{"cancel_asked", int64_t{1}}, {"version", now.integer("version") + 1}},
                   {"id", now.text("id")});
    log_job(change, now, "job:cancel-asked");
  } else {
    set_canceled(change, now);
  }
}

void retry_job(const Change& change, const db::Row& job) {
  if (is_open(job) || job.integer("made") == job.integer("count"))
    throw Error(ErrorCode::conflict, "there is nothing to try again").with("found", job.text("state"));
  require_quota(change, job.text("show_id"), job.text("created_by"), {role_named(job.text("role"))},
                job.integer("count") - job.integer("made"));
  change->update("jobs",
                 {{"state", "queued"},
                  {"attempts", int64_t{0}},
                  {"progress", int64_t{0}},
                  {"cancel_asked", int64_t{0}},
                  {"error", db::Value()},
                  {"finished_at", db::Value()},
                  {"version", job.integer("version") + 1}},
                 {"id", job.text("id")});
  log_job(change, job, "job:retry", {{"state", "queued"}});
}

void set_priority(const Change& change, const db::Row& job, int64_t priority) {
  change->update("jobs", {{"priority", priority}, {"version", job.integer("version") + 1}},
                 {"id", job.text("id")});
  log_job(change, job, "job:priority", {{"priority", priority}});
}

// --- reading ---

db::Row find_job(db::Connection& c, std::string_view id) {
  if (auto row = c.first("SELECT * FROM jobs WHERE id = :i", {{"i", std::string(id)}})) return *row;
  throw Error(ErrorCode::not_found, "there is no job \"{}\"", id.substr(0, 80));
}

namespace {

constexpr std::string_view kJobQuestion =
    "SELECT j.*, p.name AS person_name, k.entity_path, w.code AS show_code, y.code AS type_code, (SELECT "
    "count(*) FROM jobs q WHERE "
    "q.state = 'queued' AND j.state = 'queued' AND (q.priority < j.priority OR (q.priority = j.priority AND "
    "q.seq < j.seq))) AS ahead FROM "
    "jobs j JOIN people p ON p.id = j.created_by JOIN tasks k ON k.id = j.task_id JOIN shows w ON w.id = "
    "j.show_id JOIN task_types y ON "
    "y.id = k.task_type_id";

Json document_of(const db::Row& row) {
  const bool queued = row.text("state") == "queued";
  return {{"id", row.text("id")},
          {"show_id", row.text("show_id")},
          {"task_id", row.text("task_id")},
          {"task_reference",
           task_reference(row.text("show_code"), row.text("entity_path"), row.text("type_code"))},
          {"kind", row.text("kind")},
          {"priority", row.integer("priority")},
          {"state", row.text("state")},
          {"count", row.integer("count")},
          {"made", row.integer("made")},
          {"progress", static_cast<double>(row.integer("progress")) / 1000},
          {"position", queued ? Json(row.integer("ahead") + 1) : Json()},
          {"model", row.text("model")},
          {"attempts", row.integer("attempts")},
          {"cancel_asked", row.flag("cancel_asked")},
          {"error", json_of(row, "error")},
          {"request", json_of(row, "request")},
          {"created_by", {{"id", row.text("created_by")}, {"name", row.text("person_name")}}},
          {"created_at", row.text("created_at")},
          {"started_at", text_or_null(row, "started_at")},
          {"finished_at", text_or_null(row, "finished_at")},
          {"version", row.integer("version")}};
}

}  // namespace

Page jobs(db::Connection& c, const JobQuery& query) {
  Conditions where;
  const bool of_task = !query.task_id.empty();
  const bool open = query.state == "open";
  const std::string state = of_task ? without_index("j.state") : "j.state";
  if (of_task) where.add("j.task_id = :task", "task", query.task_id);
  if (!query.show_id.empty())
    where.add((of_task || open ? without_index("j.show_id") : "j.show_id") + " = :show", "show",
              query.show_id);
  if (open) {
    where.add(state + " IN ('queued', 'running')");
  } else if (!query.state.empty()) {
    constexpr std::string_view kStates[] = {"open", "queued", "running", "done", "failed", "canceled"};
    require_one_of(kStates, query.state, "state of jobs");
    where.add(state + " = :state", "state", query.state);
  }
  if (const auto after = parse_integer(query.page.after))
    where.add("j.seq < :after", "after", int64_t{*after});
  const auto rows =
      c.query(fmt::format("{}{} ORDER BY {} DESC LIMIT :limit", kJobQuestion, where.where(),
                          open ? "j.seq + 0" : "j.seq"),  // open ones are few: found, then sorted
              where.bindings(query.page));
  return page_of(rows, query.page, "seq", document_of);
}

Json job_document(db::Connection& c, const db::Row& job) {
  Json document =
      document_of(*c.first(fmt::format("{} WHERE j.id = :i", kJobQuestion), {{"i", job.text("id")}}));
  document["takes"] = Json::array();
  for (const db::Row& row :
       c.query("SELECT id FROM takes WHERE job_id = :i ORDER BY seq", {{"i", job.text("id")}}))
    document["takes"].push_back(row.text("id"));
  return document;
}

// --- running ---

std::string new_runner() { return fmt::format("{}/{}", process_mark(), new_uuid()); }

std::optional<db::Row> claim_job(db::Database& database, const Lease& lease, const std::string& model) {
  {
    // Most of the time there is nothing: then nobody's right to write is taken.
    const db::Lease c = database.connect();
    if (!c->first("SELECT id FROM jobs WHERE state = 'queued' LIMIT 1")) return std::nullopt;
  }
  db::Transaction tx(database);
  const std::string_view skip = tx->backend() == db::Backend::postgresql ? " FOR UPDATE SKIP LOCKED" : "";
  const auto job = tx->first(fmt::format("SELECT * FROM jobs WHERE state = 'queued' ORDER BY priority, CASE "
                                         "WHEN model = :m THEN 0 ELSE 1 END, seq LIMIT 1{}",
                                         skip),
                             {{"m", model}});
  if (!job) return std::nullopt;
  const std::string now = utc_now();
  tx->update(
      "jobs",
      {{"state", "running"},
       {"runner", lease.runner},
       {"lease_until", lease_end(lease.length)},
       {"started_at", job->is_null("started_at") ? db::Value(now) : db::Value(job->text("started_at"))},
       {"version", job->integer("version") + 1}},
      {"id", job->text("id")});
  provenance::append_event(tx, {"", "program"},
                           {.action = "job:start",
                            .subject_kind = "job",
                            .subject_id = job->text("id"),
                            .show_id = job->text("show_id")});
  tx.commit();
  return find_job(*database.connect(), job->text("id"));
}

bool renew_lease(db::Database& database, const std::string& job_id, const Lease& lease, int64_t progress) {
  db::Transaction tx(database);
  const int64_t changed = tx->execute(
      "UPDATE jobs SET lease_until = :until, progress = :progress WHERE id = :i AND runner = :r AND state = "
      "'running'",
      {{"until", lease_end(lease.length)}, {"progress", progress}, {"i", job_id}, {"r", lease.runner}});
  const bool asked =
      changed > 0 &&
      tx->first("SELECT cancel_asked FROM jobs WHERE id = :i", {{"i", job_id}})->flag("cancel_asked");
  tx.commit();
  return changed > 0 && !asked;
}

int64_t requeue_lost_jobs(db::Database& database) {
  const std::string now = utc_now();
  std::vector<db::Row> lost;
  {
    const db::Lease c = database.connect();
    for (db::Row& job : c->query("SELECT * FROM jobs WHERE state = 'running'")) {
      if (job.text("lease_until") < now || is_gone(job.text("runner"))) lost.push_back(std::move(job));
    }
  }
  int64_t count = 0;
  for (const db::Row& job : lost) {
    db::Transaction tx(database);
    const Change change{tx, {"", "program"}};
    // Somebody else may have seen it too, and have run it again by now; or its runner renewed the lease.
    const auto ours = still_ours(change, job);
    if (!ours || ours->text("lease_until") != job.text("lease_until")) continue;
    change.log({.action = "job:lost",
                .subject_kind = "job",
                .subject_id = job.text("id"),
                .show_id = job.text("show_id")});
    if (ours->flag("cancel_asked")) {
      set_canceled(change, *ours);
    } else {
      tx->update("jobs", {{"state", "queued"}, {"runner", ""}, {"version", ours->integer("version") + 1}},
                 {"id", job.text("id")});
    }
    tx.commit();
    ++count;
  }
  return count;
}

bool finish_picture(const Change& change, const db::Row& job, int64_t index) {
  const auto now = still_ours(change, job);
  if (!now || now->integer("made") != index) {
    throw Error(ErrorCode::conflict, "somebody else makes this picture by now")
        .with("found", fmt::format("job {}, picture {}", job.text("id"), index + 1));
  }
  const int64_t made = index + 1;
  const bool last = made == now->integer("count");
  db::Bindings columns = {{"made", made},
                          {"attempts", int64_t{0}},
                          {"progress", int64_t{0}},
                          {"version", now->integer("version") + 1}};
  if (last) columns.insert(columns.end(), {{"state", "done"}, {"runner", ""}, {"finished_at", utc_now()}});
  change->update("jobs", columns, {"id", now->text("id")});
  if (last) log_job(change, *now, "job:finish", {{"state", "done"}});
  return last;
}

void fail_picture(const Change& change, const db::Row& job, const Json& error, bool try_again,
                  int64_t progress) {
  const auto now = still_ours(change, job);
  if (!now) return;
  // What was reached in the attempt before stands in the row that was claimed; a picture after the first one
  // begins at nothing.
  const int64_t before = now->integer("made") == job.integer("made") ? job.integer("progress") : 0;
  const int64_t attempts = progress > before ? 1 : now->integer("attempts") + 1;
  const bool over = !try_again || attempts >= kMostAttempts;
  db::Bindings columns = {{"attempts", attempts},
                          {"progress", std::max(progress, before)},
                          {"error", error.dump()},
                          {"runner", ""},
                          {"version", now->integer("version") + 1},
                          {"state", over ? "failed" : "queued"}};
  if (over) columns.push_back({"finished_at", utc_now()});
  change->update("jobs", columns, {"id", now->text("id")});
  log_job(change, *now, over ? "job:fail" : "job:try-again", {{"error", error}});
}

void stop_canceled(const Change& change, const db::Row& job) {
  const auto now = still_ours(change, job);
  if (now && now->flag("cancel_asked")) set_canceled(change, *now);
}

void release_job(db::Database& database, const std::string& job_id, const Lease& lease) {
  db::Transaction tx(database);
  tx->execute(
      "UPDATE jobs SET state = 'queued', runner = '', version = version + 1 WHERE id = :i AND runner = :r "
      "AND state = 'running'",
      {{"i", job_id}, {"r", lease.runner}});
  tx.commit();
}

}  // namespace maquette::production
