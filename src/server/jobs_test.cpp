// The queue as its users see it: order, places, quotas, cancelling, trying again, what a restart leaves, and
// which models a role may use. Who paints is played by the test, except in tests/cli.
#include "production/jobs.h"

#include <fstream>
#include <gtest/gtest.h>

#include "server/test_story.h"

namespace maquette::server {
namespace {

using production::Role;
using namespace std::chrono_literals;

class JobsTest : public testing::TestWithParam<db::Backend> {
 protected:
  JobsTest() {
    story_.studio().add_person("mila", Role::artist);
    story_.studio().add_person("tess", Role::technician);
    artist_ = story_.studio().signed_in("mila");
    technician_ = story_.studio().signed_in("tess");
    story_.make("job cancel", Json::object());
  }
  db::Database& database() { return story_.studio().studio().database(); }
  Json create(Client& client, const Json& changed = Json::object()) {
    const Answer answer = story_.ask(client, "job create", changed);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.json();
  }
  Json info(const Json& job) { return story_.ask(artist_, "job info", {{"job", job["id"]}}).json(); }
  Answer ask(Client& client, std::string_view what, const Json& job) {
    return story_.ask(client, what, {{"job", job["id"]}});
  }
  std::string claim(const std::string& model = "", std::chrono::seconds lease = 30s) {
    const auto row = production::claim_job(database(), {.runner = "worker", .length = lease}, model);
    return row ? row->text("id") : "";
  }

  Story story_{GetParam()};
  Client artist_, technician_;
};

INSTANTIATE_TEST_SUITE_P(Databases, JobsTest, testing::ValuesIn(db::test_backends()), [](const auto& each) {
  return each.param == db::Backend::sqlite ? "sqlite" : "postgresql";
});

TEST_P(JobsTest, GoByTheirKindThenByModelThenByAge) {
  const Json upscaled = {{"model", "starter"}, {"prompt", "b"}, {"steps", 2}};
  const Json first = create(artist_), second = create(artist_);
  const Json retake =
      create(artist_, {{"kind", "retake"}, {"parent", "lanterns/sq010/sh020:background/v001/t01"}});
  const Json preview = create(artist_, {{"kind", "preview"}, {"recipe", upscaled}});
  const auto place = [&](const Json& job) { return info(job)["position"]; };
  EXPECT_EQ(place(preview), 1);
  EXPECT_EQ(place(retake), 2);
  EXPECT_EQ(place(first), 3);
  EXPECT_EQ(place(second), 4);
  EXPECT_EQ(ask(artist_, "job priority", second).status, 403) << "the queue is not the artist's";
  EXPECT_EQ(
      story_.ask(technician_, "job priority", {{"job", second["id"]}, {"priority", 1}}).json()["position"],
      1);
  EXPECT_EQ(info(second)["id"], second["id"]) << "its name is the same wherever it stands";
  for (const Json& job : {second, preview, retake, first}) EXPECT_EQ(claim(), job["id"]);
  EXPECT_EQ(claim(), "");
  EXPECT_TRUE(place(first).is_null());
}

TEST_P(JobsTest, OfTheModelThatIsLoadedFollowEachOther) {
  const Json small = create(artist_);
  {
    db::Transaction tx(database());
    tx->update("jobs", {{"model", "big"}}, {"id", small["id"].get<std::string>()});
    tx.commit();
  }
  const Json next = create(artist_), last = create(artist_);
  EXPECT_EQ(claim("starter"), next["id"]);
  EXPECT_EQ(claim("starter"), last["id"]);
  EXPECT_EQ(claim("starter"), small["id"]);
}

TEST_P(JobsTest, AreCancelledOneByOneQueuedOrRunning) {
  const Json running = create(artist_), waiting = create(artist_), untouched = create(artist_);
  ASSERT_EQ(claim(), running["id"]);
  EXPECT_EQ(info(running)["state"], "running");
  EXPECT_EQ(ask(artist_, "job cancel", waiting).json()["state"], "canceled");
  const Json asked = ask(artist_, "job cancel", running).json();
  EXPECT_EQ(asked["state"], "running");
  EXPECT_TRUE(asked["cancel_asked"].get<bool>());
  // The worker hears of it with the next renewal of its lease, and says when it has stopped.
  const std::string id = running["id"];
  EXPECT_FALSE(production::renew_lease(database(), id, {.runner = "worker", .length = 30s}, 100));
  {
    db::Transaction tx(database());
    production::stop_canceled({tx, {"", "program"}}, production::find_job(*tx, id));
    tx.commit();
  }
  EXPECT_EQ(info(running)["state"], "canceled");
  EXPECT_EQ(info(untouched)["state"], "queued");
  EXPECT_EQ(info(untouched)["position"], 1);
  EXPECT_EQ(ask(artist_, "job cancel", waiting).status, 200) << "twice is as good as once";

  // What was cancelled is tried again, in its old place.
  EXPECT_EQ(ask(artist_, "job retry", running).json()["state"], "queued");
  EXPECT_FALSE(info(running)["cancel_asked"].get<bool>());
  EXPECT_EQ(ask(artist_, "job retry", running).status, 409) << "it waits already";
  EXPECT_EQ(claim(), running["id"]);
}

TEST_P(JobsTest, GoOnAfterARestart) {
  const Json job = create(artist_, {{"count", 3}});
  const std::string id = job["id"];
  // A server that ends in order gives its job back; one that dies leaves a lease that runs out.
  ASSERT_EQ(claim(), id);
  production::release_job(database(), id, {.runner = "worker"});
  EXPECT_EQ(info(job)["state"], "queued");
  ASSERT_EQ(claim("", -1s), id);
  {
    db::Transaction tx(database());
    production::finish_picture({tx, {"", "program"}}, production::find_job(*tx, id), 0);
    tx.commit();
  }
  EXPECT_EQ(production::requeue_lost_jobs(database()), 1);
  const Json after = info(job);
  EXPECT_EQ(after["state"], "queued");
  EXPECT_EQ(after["made"], 1) << "what was made is not made again";
  EXPECT_EQ(after["position"], 1);
  EXPECT_EQ(claim(), id);
}

TEST_P(JobsTest, ThatFailThreeTimesHaveFailedAndCanBeTriedAgain) {
  const Json job = create(artist_);
  const std::string id = job["id"];
  for (int i = 1; i <= 3; ++i) {
    ASSERT_EQ(claim(), id) << i;
    db::Transaction tx(database());
    production::fail_picture({tx, {"", "program"}}, production::find_job(*tx, id), {{"what", "no memory"}},
                             true, 0);
    tx.commit();
    EXPECT_EQ(info(job)["state"], i < 3 ? "queued" : "failed");
  }
  EXPECT_EQ(info(job)["error"]["what"], "no memory");
  EXPECT_EQ(ask(artist_, "job retry", job).json()["state"], "queued");
  EXPECT_EQ(info(job)["attempts"], 0);
}

// --- how many ---

TEST_P(JobsTest, HaveQuotasByRole) {
  create(artist_, {{"count", 64}});
  const Answer refused = story_.ask(artist_, "job create");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.json()["error"]["fields"]["expected"], "at most 64 for artist");
  create(technician_, {{"count", 100}});
  create(technician_, {{"count", 100}});
  EXPECT_EQ(story_.ask(technician_, "job create", {{"count", 57}}).status, 403);
  create(technician_, {{"count", 56}});
}

TEST_P(JobsTest, HaveTheQuotasOfTheirShow) {
  story_.make("show update", {{"settings", {{"quotas", {{"artist", 2}, {"trainer", 0}}}}}});
  const Json job = create(artist_, {{"count", 2}});
  EXPECT_EQ(story_.ask(artist_, "job create").status, 403);
  // What is cancelled makes room, and trying it again needs room.
  EXPECT_EQ(ask(artist_, "job cancel", job).status, 200);
  const Json other = create(artist_, {{"count", 2}});
  EXPECT_EQ(ask(artist_, "job retry", job).status, 403);
  EXPECT_EQ(ask(artist_, "job cancel", other).status, 200);
  EXPECT_EQ(ask(artist_, "job retry", job).status, 200);
  // Another show has its own count.
  story_.make("show create", {{"code", "other"}});
  story_.make("shot create", {{"show", "other"}, {"code", "sh1"}});
  story_.make("task create", {{"entity", "other/sh1"}, {"task_type", "background"}});
  create(artist_, {{"task", "other/sh1:background"}, {"count", 60}});
  // Nothing is nothing; the largest of several roles counts.
  story_.studio().add_person("theo", Role::trainer);
  Client trainer = story_.studio().signed_in("theo");
  EXPECT_EQ(story_.ask(trainer, "job create").status, 403);
  story_.make("role give", {{"person", "theo"}, {"role", "technician"}});
  create(trainer, {{"count", 5}});
  for (const Json& wrong :
       {Json{{"painter", 5}}, Json{{"artist", -1}}, Json{{"artist", "many"}}, Json{{"artist", 1.5}}})
    EXPECT_EQ(story_.ask(story_.root(), "show update", {{"settings", {{"quotas", wrong}}}}).status, 400)
        << wrong;
}

TEST_P(JobsTest, AtOnceDoNotPassTheQuota) {
  story_.make("show update", {{"settings", {{"quotas", {{"artist", 3}}}}}});
  std::atomic<int> made = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back(
          [&, client = artist_]() mutable { made += story_.ask(client, "job create").status == 201; });
    }
  }
  EXPECT_EQ(made, 3);
}

// --- which models ---

TEST_P(JobsTest, UseTheModelsThatTheirRoleMay) {
  const auto allowed = [&](Client& client) {
    std::set<std::string> names;
    for (const Json& model : items_of(story_.ask(client, "model list", {{"show", "lanterns"}}))) {
      if (model["allowed"] == true) names.insert(model["name"]);
    }
    return names;
  };
  EXPECT_TRUE(allowed(artist_).contains("starter"));
  EXPECT_EQ(story_.ask(artist_, "model limit", {{"artist", {"starter"}}}).status, 403)
      << "technicians say which";
  EXPECT_EQ(story_.ask(technician_, "model limit", {{"artist", {"another"}}}).json(),
            (Json{{"artist", {"another"}}}));
  EXPECT_EQ(story_.ask(artist_, "model limits").json(), (Json{{"artist", {"another"}}}));
  EXPECT_FALSE(allowed(artist_).contains("starter"));
  EXPECT_TRUE(allowed(technician_).contains("starter"));
  const Answer refused = story_.ask(artist_, "job create");
  EXPECT_EQ(refused.status, 403) << refused.body;
  EXPECT_NE(refused.body.find("starter"), std::string::npos);
  create(technician_);
  // In another show, nothing was said.
  story_.make("show create", {{"code", "other"}});
  story_.make("shot create", {{"show", "other"}, {"code", "sh1"}});
  story_.make("task create", {{"entity", "other/sh1"}, {"task_type", "background"}});
  create(artist_, {{"task", "other/sh1:background"}});
  // An empty list is nothing at all, and no list is everything.
  EXPECT_EQ(story_.ask(technician_, "model limit", {{"artist", Json::array()}}).json(),
            (Json{{"artist", Json::array()}}));
  EXPECT_EQ(story_.ask(artist_, "model limits").json(), (Json{{"artist", Json::array()}}));
  EXPECT_TRUE(allowed(artist_).empty());
  EXPECT_EQ(story_.ask(artist_, "job create").status, 403);
  EXPECT_EQ(story_.ask(technician_, "model limit").json(), Json::object());
  create(artist_);
}

// Adapters are models, too, however a recipe names them.
TEST_P(JobsTest, UseTheAdaptersThatTheirRoleMay) {
  const std::filesystem::path models = story_.studio().studio().folder() / "models";
  std::filesystem::create_directories(models);
  std::filesystem::copy_file("tests/golden/adapters/lora_kohya_separate/adapter.safetensors",
                             models / "ink.safetensors");
  setenv("MAQUETTE_MODELS", models.c_str(), 1);
  story_.ask(technician_, "model limit", {{"artist", {"starter"}}});
  const auto recipe = [](const Json& more) {
    Json all = {{"model", "starter"}, {"prompt", "dusk"}, {"steps", 2}};
    all.update(more);
    return Json{{"recipe", all}};
  };
  const Json ways[] = {recipe({{"loras", {{{"file", "ink"}}}}}),
                       recipe({{"prompt", "dusk <lora:ink:0.5>"}, {"dialect", "a1111"}}),
                       recipe({{"embeddings", {"ink"}}}),
                       recipe({{"upscale", "ink"}}),
                       recipe({{"vae", "ink"}}),
                       recipe({{"controls", {{{"model", "ink"}}}}})};
  for (const Json& way : ways) EXPECT_EQ(story_.ask(artist_, "job create", way).status, 403) << way;
  create(technician_, ways[0]);
  const Json tagged = create(technician_, ways[1]);
  EXPECT_EQ(tagged["request"]["recipe"]["loras"][0]["file"]["path"], "ink") << "the file is decided here";
  EXPECT_EQ(story_.ask(technician_, "job create", recipe({{"prompt", "<lora:none:1>"}, {"dialect", "a1111"}}))
                .status,
            404);
  EXPECT_EQ(story_.ask(technician_, "job create", recipe({{"lora_folder", "/"}})).status, 400);
  EXPECT_EQ(story_.ask(technician_, "job create", recipe({{"model", "/etc/passwd"}})).status, 404);
  EXPECT_EQ(story_.ask(technician_, "job create", recipe({{"init", "/etc/passwd"}})).status, 400);
  unsetenv("MAQUETTE_MODELS");
}

}  // namespace
}  // namespace maquette::server
