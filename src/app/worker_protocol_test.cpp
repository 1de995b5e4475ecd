#include "app/worker_protocol.h"

#include <gtest/gtest.h>

namespace maquette::app {
namespace {

WorkerJob whole_job() {
  WorkerJob job{.id = "7",
                .recipe = {},
                .out = "a b.png",
                .journal = "j",
                .preview = "p.jpg",
                .preview_every = 3,
                .bits = 16};
  job.recipe.prompt = "a sea, \"dusk\"";
  job.recipe.seed = 18446744073709551615u;
  return job;
}

TEST(WorkerProtocol, carries_a_job) {
  const WorkerJob job = whole_job();
  const WorkerJob read = worker_job_from_json(parse_json(to_json(job).dump(), "job").take()).take();
  EXPECT_EQ(read.id, job.id);
  EXPECT_EQ(read.recipe, job.recipe);
  EXPECT_EQ(read.out, job.out);
  EXPECT_EQ(read.journal, job.journal);
  EXPECT_EQ(read.preview, job.preview);
  EXPECT_EQ(read.preview_every, 3);
  EXPECT_EQ(read.bits, 16);

  const WorkerJob plain{.id = "7", .recipe = job.recipe, .out = "a.png"};
  EXPECT_EQ(to_json(plain).size(), 3u);
  EXPECT_TRUE(worker_job_from_json(to_json(plain)).take().journal.empty());
}

TEST(WorkerProtocol, refuses_jobs_by_their_field) {
  const std::vector<std::pair<std::string, Json>> wrong{
      {"id", nullptr},        {"id", 7},           {"id", ""},        {"out", nullptr},
      {"out", Json::array()}, {"recipe", "a sea"}, {"bits", 12},      {"preview_every", 0},
      {"preview_every", 2.5}, {"journal", 1},      {"preview", true}, {"loud", true}};
  for (const auto& [field, value] : wrong) {
    Json json = to_json(whole_job());
    json[field] = value;
    const Result<WorkerJob> job = worker_job_from_json(json);
    ASSERT_FALSE(job) << field;
    EXPECT_NE(job.error().message().find(field), std::string::npos) << job.error().message();
  }
  for (const Json& json : {Json(), Json("run"), Json::array(), Json::object()})
    EXPECT_FALSE(worker_job_from_json(json));
}

TEST(WorkerProtocol, carries_errors) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::limit_exceeded); ++i) {
    Error error(static_cast<ErrorCode>(i), "cannot {}", "paint");
    error.with("found", 3).with("expected", "4 {}").hint("try {} again", "it");
    const Error read = error_from_json(to_json(error));
    EXPECT_EQ(read.code(), error.code());
    EXPECT_EQ(read.message(), error.message());
  }
  EXPECT_EQ(error_from_json(Json()).code(), ErrorCode::failed);
  EXPECT_EQ(error_from_json({{"code", 1}, {"fields", {{"a", 1}}}}).code(), ErrorCode::failed);
}

}  // namespace
}  // namespace maquette::app
