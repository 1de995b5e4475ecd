// A picture goes through three places: the worker writes it into the spool, filing moves it into the show's
// store, one transaction makes the take and counts the job on. Whatever dies in between, the queue does that
// picture again, from its journal, and nothing is there twice: the count and the take come together.
#include "app/studio/queue.h"

#include "app/picture_record.h"
#include "app/studio/comparing.h"
#include "app/studio/filing.h"
#include "app/studio/gate.h"
#include "app/studio/job_recipe.h"
#include "app/studio/left_overs.h"
#include "base/file.h"
#include "base/identifiers.h"
#include "base/log.h"
#include "production/jobs.h"
#include "production/references.h"

namespace maquette::app {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto kLease = 30s;
constexpr auto kRenewal = 2s;  // also how soon a cancelled job stops, besides its step
constexpr auto kIdle = 300ms;

Json json_of(const Error& error) { return to_json(error); }

// Takes keep what was painted, so that deliveries of 16 bits hold more than 256 levels; previews are looked
// at.
int bits_of(const db::Row& job) { return job.text("kind") == "preview" ? 8 : 16; }

// What a second attempt could change.
bool may_pass(ErrorCode code) { return code == ErrorCode::failed; }

}  // namespace

fs::path preview_of(const Studio& studio, const std::string& job_id) {
  return studio.spool() / (job_id + ".jpg");
}

// The picture in work.
struct Queue::Work {
  db::Row job;
  db::Row task;
  db::Row show;
  Json request;
  int64_t index = 0;    // of the picture in the job
  std::string id = {};  // "<job>-<index>"
  fs::path out = {}, journal = {};
  int64_t progress = 0;  // thousandths
  steady_clock::time_point renewed = {};
  bool cancel_sent = false;
  bool stopping = false;
  Json rights = {};  // the gate's answer when this picture was begun
};

Queue::Queue(Studio& studio, QueueOptions options)
    : studio_(studio), options_(std::move(options)), runner_(production::new_runner()) {
  if (options_.threads > 0) options_.worker.threads = options_.threads;
}

Queue::~Queue() = default;

WorkerProcess& Queue::worker() {
  if (!worker_ || !worker_->is_running()) {
    worker_ = std::make_unique<WorkerProcess>(options_.worker);
    model_.clear();
  }
  return *worker_;
}

void Queue::run(const std::atomic<bool>& stop) {
  while (!stop) {
    Newsroom::Heard heard = studio_.news().now();  // before looking: a job that comes meanwhile is heard of
    production::requeue_lost_jobs(studio_.database());
    const auto job = production::claim_job(studio_.database(), {runner_, kLease}, model_);
    if (job) {
      run_job(*job, stop);
    } else if (options_.until_empty) {
      break;
    } else {
      studio_.news().wait(heard, kIdle);
    }
  }
  if (worker_) worker_->terminate(2s);
}

void Queue::run_job(const db::Row& job, const std::atomic<bool>& stop) {
  studio_.news().wake();
  std::optional<Work> work;
  {
    const db::Lease c = studio_.database().connect();
    const db::Row task = production::find_task(*c, job.text("task_id"));
    work.emplace(Work{.job = job,
                      .task = task,
                      .show = production::find_show(*c, job.text("show_id")),
                      .request = production::json_of(job, "request")});
  }
  try {
    for (work->index = job.integer("made"); work->index < job.integer("count"); ++work->index) {
      if (!make_picture(*work, stop)) break;
    }
  } catch (const Error& error) {
    fail(*work, error, may_pass(error.code()));
  } catch (const std::exception& error) {
    fail(*work, Error(ErrorCode::failed, "the job stopped").with("found", error.what()), true);
  }
  std::error_code ignored;
  fs::remove(preview_of(studio_, job.text("id")), ignored);
  studio_.news().wake();
}

// Returns whether the job goes on with its next picture.
bool Queue::make_picture(Work& work, const std::atomic<bool>& stop) {
  const production::FileStore store = store_of(studio_, work.show);
  work.id = fmt::format("{}-{}", work.job.text("id"), work.index);
  work.out = studio_.spool() / (work.id + ".png");
  work.journal = studio_.spool() / (work.id + ".journal");
  work.progress = 0;
  work.renewed = steady_clock::now();
  const Recipe asked = recipe_from_json(work.request["recipe"]).take();
  // A job may have waited: a consent may have ended since, a model's file may be another one now.
  const rights::Decision decision = decide(studio_, work.task, asked);
  require_allowed(decision);
  work.rights = rights::to_json(decision);
  Recipe recipe = recipe_for_worker(asked, store, work.index);
  worker().run({.id = work.id,
                .recipe = std::move(recipe),
                .out = work.out,
                .journal = work.journal,
                .preview = preview_of(studio_, work.job.text("id")),
                .bits = bits_of(work.job)});
  model_ = work.job.text("model");
  report(work, "begin");
  while (true) {
    if (const auto event = worker_->next(100ms)) {
      if (event->kind == WorkerEvent::Kind::ended) {
        worker_.reset();
        // A worker that died takes nothing with it: the journal has the steps.
        fail(work, event->error.value_or(Error(ErrorCode::failed, "the worker ended")), true);
        return false;
      }
      if (event->id == work.id) {
        if (event->kind == WorkerEvent::Kind::done) {
          file_picture(work, event->body);
          return true;
        }
        if (!handle(work, *event)) return false;
      }
    }
    if (stop && !work.stopping) {
      work.stopping = true;
      worker_->cancel(work.id);
    }
    if (steady_clock::now() - work.renewed > kRenewal) {
      work.renewed = steady_clock::now();
      const bool ours =
          production::renew_lease(studio_.database(), work.job.text("id"), {runner_, kLease}, work.progress);
      if (!ours && !work.cancel_sent) worker_->cancel(work.id);
      work.cancel_sent = work.cancel_sent || !ours;
    }
  }
}

// Returns whether the picture is still in work.
bool Queue::handle(Work& work, const WorkerEvent& event) {
  if (event.kind == WorkerEvent::Kind::progress) {
    const double step = event.body.value("step", 0.0);
    const double steps = event.body.value("steps", 0.0);
    if (steps > 0) work.progress = static_cast<int64_t>(1000 * step / steps);
    Json news = event.body;
    news["id"] = work.job.text("id");
    news["progress"] = static_cast<double>(work.progress) / 1000;
    news["made"] = work.index;
    news["task_id"] = work.task.text("id");
    studio_.news().publish("job:progress", work.show.text("id"), std::move(news));
    report(work, "progress", event.body);
    return true;
  }
  if (event.kind == WorkerEvent::Kind::preview) {
    studio_.news().publish("job:preview", work.show.text("id"),
                           {{"id", work.job.text("id")},
                            {"step", event.body.value("step", 0)},
                            {"task_id", work.task.text("id")}});
    return true;
  }
  if (event.kind != WorkerEvent::Kind::failed) return true;
  const Error error = event.error.value_or(Error(ErrorCode::failed, "the worker failed"));
  if (error.code() != ErrorCode::cancelled) {
    fail(work, error, may_pass(error.code()));
    return false;
  }
  if (work.stopping) {
    production::release_job(studio_.database(), work.job.text("id"), {runner_, kLease});
    return false;
  }
  db::Transaction tx(studio_.database());
  production::stop_canceled({tx, {"", "program"}}, work.job);
  tx.commit();
  std::error_code ignored;
  fs::remove(work.journal, ignored);
  report(work, "canceled");
  return false;
}

void Queue::file_picture(Work& work, const Json& done) {
  const production::FileStore store = store_of(studio_, work.show);
  const StoredPicture picture = store_picture(store, work.out);
  Json record = parse_json(done.at("record").get<std::string>(), "the record").take();
  record["recipe"] = to_json(
      with_names_of(recipe_of_record(record).take(), recipe_from_json(work.request["recipe"]).take()));
  const PictureOrigin origin = origin_of_record(record);
  production::NewTake take{.origin = "generated",
                           .title = work.request.value("title", ""),
                           .recipe = origin.recipe,
                           .seed = origin.seed,
                           .model = work.job.text("model"),
                           .prompt = origin.prompt,
                           .proof = {{"measures", done.value("measures", Json())},
                                     {"notes", done.value("notes", Json())},
                                     {"seconds", done.value("seconds", Json())},
                                     {"rights", work.rights}},
                           .job_id = work.job.text("id")};
  const std::string mask = work.request.value("mask", "");
  for (const Json& parent : work.request.value("parents", Json::array())) {
    take.parents.push_back({.take_id = parent.at("take"), .relation = parent.at("relation")});
    if (parent.at("relation") != "retake" && parent.at("relation") != "init") continue;
    const db::Lease c = studio_.database().connect();
    const db::Row row = production::find_take(*c, parent.at("take").get<std::string>());
    if (!mask.empty() && row.integer("width") == picture.width && row.integer("height") == picture.height) {
      take.proof.update(proof_of(store, picture.sha256, row.text("sha256"), mask));
    }
  }
  if (!mask.empty()) take.files.push_back({.representation = "mask", .name = "mask", .sha256 = mask});

  // The take and the count of the job, in one transaction.
  db::Transaction tx(studio_.database());
  const production::Change change{tx, {work.job.text("created_by"), work.job.text("role")}};
  register_picture(change, store, work.show.text("id"), picture, take);
  const std::string take_id = production::file_take(change, work.task, take);
  const bool last = production::finish_picture(change, work.job, work.index);
  tx.commit();

  std::error_code ignored;
  fs::remove(work.journal, ignored);
  studio_.news().wake();
  report(work, "take",
         {{"take", take_id}, {"last", last}, {"resumed_steps", done.value("resumed_steps", 0)}});
}

void Queue::fail(Work& work, const Error& error, bool try_again) {
  log::warning("job {}: {}", work.job.text("id"), error.message());
  db::Transaction tx(studio_.database());
  production::fail_picture({tx, {"", "program"}}, work.job, json_of(error), try_again, work.progress);
  tx.commit();
  report(work, "failed", {{"error", json_of(error)}});
}

void Queue::report(const Work& work, std::string_view event, Json more) {
  if (!options_.report) return;
  Json line = {{"event", event},
               {"job", work.job.text("id")},
               {"picture", work.index + 1},
               {"count", work.job.integer("count")}};
  line.update(more);
  line["job"] = work.job.text("id");
  options_.report(line);
}

QueuePool::QueuePool(Studio& studio, int workers, const QueueOptions& options) {
  remove_left_overs(studio);
  for (int i = 0; i < workers; ++i) {
    threads_.emplace_back([this, &studio, options] {
      // A database that is away for a while ends no worker's loop.
      while (!stop_) {
        try {
          Queue(studio, options).run(stop_);
          return;
        } catch (const std::exception& error) {
          log::warning("the queue: {}", error.what());
          std::this_thread::sleep_for(1s);
        }
      }
    });
  }
}

QueuePool::~QueuePool() { stop(); }

void QueuePool::stop() {
  stop_ = true;
  join();
}

void QueuePool::join() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace maquette::app
