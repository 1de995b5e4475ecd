// Jobs whose runner is killed, stalls or comes back, on SQLite and, where MAQUETTE_TEST_POSTGRESQL names a
// server, PostgreSQL: each picture is made once, whoever dies.
#include "production/jobs.h"

#include <gtest/gtest.h>

#include "base/identifiers.h"
#include "base/process_mark.h"
#include "production/entities.h"
#include "production/references.h"
#include "production/shows.h"
#include "production/tasks.h"
#include "production/test_show.h"

namespace maquette::production {
namespace {

const Json kError = {{"what", "the worker ended"}};

// The mark of a process that is gone: Linux has no such high number.
std::string mark_of_the_dead() {
  const std::string own = process_mark();
  return own.substr(0, own.find('-')) + "-4194305";
}

class JobsTest : public TestOnBoth {
 protected:
  JobsTest() {
    write([&](const Change& change) {
      const std::string show = create_show(change, {.code = "lanterns", .name = "Lanterns"});
      create_entity(change, find_show(*change, show), {.kind = "shot", .code = "sh020"});
      create_task(change, find_entity(*change, "lanterns/sh020"), {.task_type = "background"});
      job_ = queue_job(change, find_task(*change, "lanterns/sh020:background"),
                       {.request = {{"recipe", Json::object()}}, .model = "a", .count = 2});
    });
  }

  db::Row claim(const std::string& runner, int seconds = 30) {
    return claim_job(database_, {.runner = runner, .length = std::chrono::seconds(seconds)}, "").value();
  }
  db::Row now() { return find_job(*database_.connect(), job_); }
  void finish(const db::Row& job, int64_t index) {
    write([&](const Change& c) { finish_picture(c, job, index); });
  }
  void fail(const db::Row& job, int64_t progress) {
    write([&](const Change& c) { fail_picture(c, job, kError, true, progress); });
  }

  std::string job_;
};

TEST_P(JobsTest, AJobOfADeadProcessIsQueuedAtOnce) {
  claim(mark_of_the_dead() + "/1");
  EXPECT_EQ(requeue_lost_jobs(database_), 1);
  EXPECT_EQ(now().text("state"), "queued");
  EXPECT_EQ(requeue_lost_jobs(database_), 0);
}

TEST_P(JobsTest, AJobOfALivingOrDistantProcessWaitsForItsLease) {
  for (const std::string& runner : {new_runner(), std::string("00000000-1/other machine")}) {
    claim(runner);
    EXPECT_EQ(requeue_lost_jobs(database_), 0) << runner;
    release_job(database_, job_, {.runner = runner});
    claim(runner, -1);
    EXPECT_EQ(requeue_lost_jobs(database_), 1) << runner;
  }
}

TEST_P(JobsTest, ARunnerThatLostItsLeaseFilesNothing) {
  const db::Row stalled = claim("stalled", -1);
  EXPECT_EQ(requeue_lost_jobs(database_), 1);
  EXPECT_THROW(finish(stalled, 0), Error);  // nobody has it
  const db::Row other = claim("other");
  EXPECT_THROW(finish(stalled, 0), Error);
  finish(other, 0);
  EXPECT_THROW(finish(other, 0), Error);  // this picture is made
  finish(other, 1);
  EXPECT_EQ(now().integer("made"), 2);
  EXPECT_EQ(now().text("state"), "done");
}

TEST_P(JobsTest, ARunnerThatLostItsLeaseNeitherFailsNorCancelsTheJob) {
  const db::Row stalled = claim("stalled", -1);
  requeue_lost_jobs(database_);
  claim("other");
  fail(stalled, 500);
  write([&](const Change& c) { stop_canceled(c, stalled); });
  EXPECT_EQ(now().text("state"), "running");
  EXPECT_EQ(now().text("runner"), "other");
  EXPECT_EQ(now().integer("attempts"), 0);
}

TEST_P(JobsTest, ACancelledJobWhoseRunnerDiesIsCancelled) {
  claim(mark_of_the_dead() + "/1");
  write([&](const Change& c) { cancel_job(c, now()); });
  EXPECT_EQ(now().text("state"), "running");
  EXPECT_EQ(requeue_lost_jobs(database_), 1);
  EXPECT_EQ(now().text("state"), "canceled");
  EXPECT_FALSE(now().is_null("finished_at"));
}

TEST_P(JobsTest, AJobThatComesFurtherIsTriedOnAndOnOneThatDoesNotFails) {
  for (int64_t progress = 100; progress <= 900; progress += 100) {
    fail(claim("a"), progress);
    ASSERT_EQ(now().text("state"), "queued") << progress;
  }
  fail(claim("a"), 900);
  EXPECT_EQ(now().text("state"), "queued");
  fail(claim("a"), 0);
  EXPECT_EQ(now().text("state"), "failed");
}

TEST_P(JobsTest, AttemptsAreThoseOfThePictureInWork) {
  fail(claim("a"), 0);
  fail(claim("a"), 0);
  const db::Row job = claim("a");
  finish(job, 0);
  fail(job, 0);
  EXPECT_EQ(now().text("state"), "queued");
  EXPECT_EQ(now().integer("attempts"), 1);
}

INSTANTIATE_TEST_SUITE_P(Both, JobsTest, testing::ValuesIn(db::test_backends()), backend_name);

}  // namespace
}  // namespace maquette::production
