#include "production/jobs.h"

#include "app/studio/gate.h"
#include "app/studio/handlers.h"
#include "app/studio/job_recipe.h"
#include "app/studio/operations.h"
#include "app/studio/queue.h"
#include "base/file.h"
#include "production/references.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;

constexpr Parameter kTask = {"task", Place::path, Kind::text, "id, or SHOW/PATH:TYPE", true};
constexpr Parameter kJob = {"job", Place::path, Kind::text, "id of the job", true};

db::Row readable_job(const Call& call, db::Connection& c) {
  db::Row row = production::find_job(c, call.text("job"));
  require_reading(call, row.text("show_id"));
  return row;
}

// The takes that the pictures come from: [{take, relation}].
Json parents_of(const Call& call, db::Connection& c, const std::string& show_id) {
  Json parents = Json::array();
  if (!call.has("parent")) return parents;
  const db::Row take = production::find_take(c, call.text("parent"));
  if (take.text("show_id") != show_id)
    throw Error(ErrorCode::usage, "the parent take belongs to another show");
  parents.push_back(
      {{"take", take.text("id")},
       {"relation", call.text("relation", call.text("kind") == "retake" ? "retake" : "source")}});
  return parents;
}

std::set<production::Role> roles_in(const production::Caller& caller, std::string_view show_id) {
  std::set<production::Role> roles;
  for (const auto& [show, held] : caller.roles) {
    if (show.empty() || show == show_id) roles.insert(held.begin(), held.end());
  }
  return roles;
}

Reply create(Call& call) {
  std::optional<db::Row> task, show;
  Json parents;
  {
    const db::Lease c = call.studio.database().connect();
    task = production::find_task(*c, call.text("task"));
    production::require(call.caller, Action::take_generate, task->text("show_id"));
    show = production::find_show(*c, task->text("show_id"));
    parents = parents_of(call, *c, task->text("show_id"));
  }
  Json document = call.arguments.at("recipe");
  if (document.is_object() && !document.contains("prompt")) document["prompt"] = task->text("brief");
  const Recipe recipe = checked_recipe(call.studio, call.caller, *show, document);
  const rights::Decision decision = decide(call.studio, *task, recipe);
  require_allowed(decision);
  Json request = {{"recipe", to_json(recipe)},
                  {"parents", parents},
                  {"title", call.text("title")},
                  {"rights", rights::to_json(decision)}};
  if (!recipe.mask.empty()) request["mask"] = recipe.mask.path.substr(std::string_view("sha256:").size());
  return changing(call, Action::take_generate, task->text("show_id"), [&](const Change& change) {
    const std::string id =
        production::queue_job(change, *task,
                              {.kind = production::job_kind_named(call.text("kind", "generate")),
                               .request = request,
                               .model = recipe.model.path,
                               .count = call.integer("count", 1),
                               .roles = roles_in(call.caller, task->text("show_id"))});
    return document_reply(production::job_document(*change, production::find_job(*change, id)), true);
  });
}

Reply list(Call& call) {
  const db::Lease c = call.studio.database().connect();
  production::JobQuery query{.state = call.text("state"), .page = page_query(call)};
  if (call.has("task")) {
    const db::Row task = production::find_task(*c, call.text("task"));
    query.task_id = task.text("id");
    query.show_id = task.text("show_id");
  }
  if (call.has("show")) query.show_id = production::find_show(*c, call.text("show")).text("id");
  require_reading(call, query.show_id);
  return list_reply(production::jobs(*c, query));
}

Reply info(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return document_reply(production::job_document(*c, readable_job(call, *c)));
}

// One's own jobs need no more than the right to ask for them.
template <typename Work>
Reply change_job(Call& call, const Work& work) {
  const db::Row job = production::find_job(*call.studio.database().connect(), call.text("job"));
  const Action action =
      job.text("created_by") == call.caller.person_id ? Action::take_generate : Action::job_manage;
  return changing(call, action, job.text("show_id"), [&](const Change& change) {
    change.tx.lock_row("jobs", job.text("id"));
    const db::Row now = production::find_job(*change, job.text("id"));
    production::require_version(now, call.if_match);
    work(change, now);
    return document_reply(production::job_document(*change, production::find_job(*change, job.text("id"))));
  });
}

Reply cancel(Call& call) { return change_job(call, production::cancel_job); }
Reply retry(Call& call) { return change_job(call, production::retry_job); }

Reply prioritise(Call& call) {
  const db::Row job = production::find_job(*call.studio.database().connect(), call.text("job"));
  return changing(call, Action::job_manage, job.text("show_id"), [&](const Change& change) {
    change.tx.lock_row("jobs", job.text("id"));
    const db::Row now = production::find_job(*change, job.text("id"));
    production::require_version(now, call.if_match);
    production::set_priority(change, now, call.integer("priority"));
    return document_reply(production::job_document(*change, production::find_job(*change, job.text("id"))));
  });
}

Reply preview(Call& call) {
  const db::Row job = readable_job(call, *call.studio.database().connect());
  const fs::path file = preview_of(call.studio, job.text("id"));
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    throw Error(ErrorCode::not_found, "the job has no preview now")
        .with("found", fmt::format("a job that is {}", job.text("state")));
  return {.file = file, .media_type = "image/jpeg"};
}

}  // namespace

std::vector<Operation> job_operations() {
  return {
      {"job create",
       "POST",
       "/tasks/{task}/jobs",
       Action::take_generate,
       "have pictures made for a task",
       "maquette job create lanterns/sq010/sh020:background --recipe '{\"model\": \"starter\", \"prompt\": "
       "\"sunset, red mesas\", \"seed\": 7}' --count 4",
       {kTask,
        {"recipe", Place::body, Kind::object,
         "as pictures carry it; models by name, pictures as sha256:HASH; without a prompt: the task's brief",
         true},
        {"count", Place::body, Kind::integer, "pictures with seeds that follow each other; left out: 1"},
        {"kind", Place::body, Kind::text,
         "generate (left out), preview or retake: previews and retakes go first"},
        {"parent", Place::body, Kind::text, "the take that they are made from"},
        {"relation", Place::body, Kind::text, "how: source, init, mask, control, retake"},
        {"title", Place::body, Kind::text, "of the takes"}},
       false,
       create},
      {"job list", "GET", "/jobs", Action::show_read, "the queue, newest first",
       "maquette job list --show lanterns --state open",
       with_paging({{"show", Place::query, Kind::text, "only of this show"},
                    {"task", Place::query, Kind::text, "only of this task"},
                    {"state", Place::query, Kind::text,
                     "queued, running, done, failed, canceled; open: the first two"}}),
       false, list},
      {"job info",
       "GET",
       "/jobs/{job}",
       Action::show_read,
       "a job with its place in the queue and its takes",
       "maquette job info JOB",
       {kJob},
       false,
       info},
      {"job cancel",
       "POST",
       "/jobs/{job}/cancel",
       Action::take_generate,
       "stop a job within a step; pictures that are made stay",
       "maquette job cancel JOB",
       {kJob},
       false,
       cancel,
       Action::job_manage},
      {"job retry",
       "POST",
       "/jobs/{job}/retry",
       Action::take_generate,
       "make the pictures that a failed or cancelled job left out",
       "maquette job retry JOB",
       {kJob},
       false,
       retry,
       Action::job_manage},
      {"job priority",
       "PATCH",
       "/jobs/{job}",
       Action::job_manage,
       "move a job in the queue",
       "maquette job priority JOB --priority 50",
       {kJob,
        {"priority", Place::body, Kind::integer, "smaller is sooner: previews 100, retakes 200, others 300",
         true}},
       false,
       prioritise},
      {"job preview",
       "GET",
       "/jobs/{job}/preview",
       Action::show_read,
       "how the picture in work looks now",
       "maquette job preview JOB --out now.jpg",
       {kJob, {"turn", Place::query, Kind::integer, "any number, to ask past a browser's store of pictures"}},
       false,
       preview},
  };
}

}  // namespace maquette::app
