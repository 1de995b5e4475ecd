// Jobs: the queue of pictures to make, kept in the database so that a restart, a crash or another process
// goes on where it stopped. One request makes `count` pictures with seeds that follow each other; each
// becomes a take when it is made.
//
// Who runs a job holds a lease that it renews; a job whose lease ran out is queued again.
#pragma once

#include <chrono>
#include <set>

#include "production/change.h"
#include "production/permissions.h"

namespace maquette::production {

// Order of work: retakes before new pictures, previews before finals.
enum class JobKind { preview, retake, generate };
std::string_view name(JobKind kind);
JobKind job_kind_named(std::string_view name);

struct NewJob {
  JobKind kind = JobKind::generate;
  Json request;  // {recipe, parents: [{take_id, relation}], mask, title}
  std::string model;
  int64_t count = 1;
  std::set<Role> roles =
      {};  // of who asks, in the show: the largest of their quotas counts; none: the actor's
};

// Pictures that a person with this role may have waiting in a show: what its settings say (`quotas`), else
// 64 for artists, 32 for trainers, 256 for others who may generate, 0 for the rest.
constexpr int64_t kMostWaiting = 100'000;
int64_t quota(const Json& settings, Role role);
// Throws Error(refused) above the quota.
std::string queue_job(const Change& change, const db::Row& task, const NewJob& job);

void cancel_job(const Change& change, const db::Row& job);  // a running one stops within a step
// Of a failed or cancelled one: the pictures missing. They count for the quota of whoever asked for the job.
void retry_job(const Change& change, const db::Row& job);
void set_priority(const Change& change, const db::Row& job, int64_t priority);

db::Row find_job(db::Connection& c, std::string_view id);
struct JobQuery {
  std::string show_id = {};
  std::string task_id = {};
  std::string state = {};  // queued, running, done, failed, canceled; "open": the first two
  PageQuery page = {};
};
Page jobs(db::Connection& c, const JobQuery& query);
Json job_document(db::Connection& c, const db::Row& job);

// --- for who runs them ---

struct Lease {
  std::string runner;  // new_runner()
  std::chrono::seconds length{30};
};

// A name for one who runs jobs: it says in which process, so that its end is noticed on this machine at once.
std::string new_runner();

// Takes the next job for this runner: the smallest priority first, then jobs of the `model` that is loaded,
// then the oldest. Nothing where there is none.
std::optional<db::Row> claim_job(db::Database& database, const Lease& lease, const std::string& model);
// False: the lease is lost, or somebody asks to stop.
bool renew_lease(db::Database& database, const std::string& job_id, const Lease& lease,
                 int64_t progress_thousandths);
// Jobs whose process is gone, or whose lease ran out, are queued again.
int64_t requeue_lost_jobs(db::Database& database);

// The picture `index` of the job is made, in the transaction that files its take. Returns whether it was the
// last. Throws Error(conflict) where the job is not the runner's any more (its lease ran out, somebody else
// went on): then the take must not be filed, so that no picture is made twice.
bool finish_picture(const Change& change, const db::Row& job, int64_t index);
// The picture in work failed, having come so far (in thousandths). It is tried again, until three runners in
// a row came no further than the one before them; then the job has failed. Nothing where the job is not the
// runner's any more.
void fail_picture(const Change& change, const db::Row& job, const Json& error, bool try_again,
                  int64_t progress);
// The runner has stopped because it was asked to. Likewise.
void stop_canceled(const Change& change, const db::Row& job);
// Gives the job back, unfinished: at the end of the program.
void release_job(db::Database& database, const std::string& job_id, const Lease& lease);

}  // namespace maquette::production
