// Workers as the studio uses them. The tests with a picture start the program that was built beside them.
#include "app/worker_process.h"

#include <csignal>
#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "app/child_process.h"
#include "app/generate.h"
#include "base/file.h"
#include "base/record_file.h"
#include "base/text.h"

namespace maquette::app {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Kind = WorkerEvent::Kind;

const fs::path kProgram = fs::path(MAQUETTE_BINARY_DIR) / "src/cli/maquette";

WorkerOptions shell(const std::string& script) { return {.program = "/bin/sh", .arguments = {"-c", script}}; }

Recipe small(int steps = 3) {
  Recipe recipe;
  recipe.model.path = "models/starter";
  recipe.prompt = "a sea at dusk, two moons";
  recipe.width = recipe.height = 64;
  recipe.steps = steps;
  recipe.seed = 5;
  return recipe;
}

class WorkerProcesses : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ =
      fs::path(testing::TempDir()) /
      fmt::format("workers_{:p}", fmt::ptr(testing::UnitTest::GetInstance()->current_test_info()));

  WorkerJob job(const std::string& id, const Recipe& recipe = small()) const {
    return {.id = id, .recipe = recipe, .out = folder_ / (id + ".png")};
  }
  static std::string bytes_of(const fs::path& file) { return read_text_file(file).take(); }
  // What `maquette generate` writes.
  std::string expected(const Recipe& recipe) const {
    const fs::path file = folder_ / "expected.png";
    generate({.recipe = recipe, .out = file});
    return bytes_of(file);
  }
};

// The first event of this kind; fails where the worker ends or says nothing for long.
WorkerEvent wait_for(WorkerProcess& worker, Kind kind) {
  while (std::optional<WorkerEvent> event = worker.next(60s)) {
    if (event->kind == kind) return *event;
    if (event->kind == Kind::ended) throw *event->error;
  }
  throw Error(ErrorCode::failed, "the worker says nothing");
}

TEST_F(WorkerProcesses, make_what_generate_makes) {
  WorkerProcess worker({.program = kProgram, .threads = 2});
  const WorkerEvent ready = wait_for(worker, Kind::ready);
  EXPECT_EQ(ready.body["pid"], worker.pid());
  EXPECT_EQ(ready.body["threads"], 2);

  worker.run(job("a"));
  const WorkerEvent done = wait_for(worker, Kind::done);
  EXPECT_EQ(done.id, "a");
  EXPECT_EQ(bytes_of(folder_ / "a.png"), expected(small()));
  EXPECT_EQ(done.body["resumed_steps"], 0);
  EXPECT_EQ(recipe_hash(recipe_from_json(done.body["recipe"]).take()), done.body["recipe_hash"]);
  EXPECT_EQ(read_recipe(folder_ / "a.png").recipe, recipe_from_json(done.body["recipe"]).take());

  worker.quit();
  std::optional<WorkerEvent> ended = worker.next(10s);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->kind, Kind::ended);
  EXPECT_NE(ended->error->message().find("exit status 0"), std::string::npos);
}

TEST_F(WorkerProcesses, keep_the_model_and_take_another) {
  WorkerProcess worker({.program = kProgram});
  Recipe other = small();
  other.model.path = "tests/golden/pipelines/models/sd1";
  for (const Recipe& recipe : {small(), small(4), other, small()}) {
    worker.run(job("a", recipe));
    wait_for(worker, Kind::done);
    EXPECT_EQ(bytes_of(folder_ / "a.png"), expected(recipe));
  }
}

TEST_F(WorkerProcesses, report_what_fails_and_go_on) {
  WorkerProcess worker({.program = kProgram});
  Recipe bad = small();
  bad.model.path = "models/none";
  worker.run(job("bad", bad));
  const WorkerEvent failed = wait_for(worker, Kind::failed);
  EXPECT_EQ(failed.id, "bad");
  EXPECT_EQ(failed.error->code(), ErrorCode::not_found);
  worker.run(job("long", small(900)));
  wait_for(worker, Kind::progress);
  worker.cancel("long");
  EXPECT_EQ(wait_for(worker, Kind::failed).error->code(), ErrorCode::cancelled);
  worker.run(job("good"));
  EXPECT_EQ(wait_for(worker, Kind::done).id, "good");
}

TEST_F(WorkerProcesses, work_side_by_side) {
  std::vector<std::unique_ptr<WorkerProcess>> workers;
  for (int i = 0; i < 3; ++i) {
    workers.push_back(std::make_unique<WorkerProcess>(WorkerOptions{.program = kProgram, .threads = 1}));
    workers.back()->run(job(fmt::format("{}", i), small(3 + i)));
  }
  workers[1]->terminate(0ms);  // and what happens to one does not touch the others
  EXPECT_EQ(wait_for(*workers[0], Kind::done).id, "0");
  EXPECT_EQ(wait_for(*workers[2], Kind::done).id, "2");
  EXPECT_EQ(bytes_of(folder_ / "2.png"), expected(small(5)));
  EXPECT_THROW(wait_for(*workers[1], Kind::done), Error);
}

TEST_F(WorkerProcesses, that_are_gone_say_how) {
  const auto how = [](WorkerProcess& worker) {
    const std::optional<WorkerEvent> event = worker.next(10s);
    return event && event->kind == Kind::ended ? event->error->message() : "";
  };
  WorkerProcess exits(shell("exit 3"));
  EXPECT_NE(how(exits).find("exit status 3"), std::string::npos);
  EXPECT_NE(how(exits).find("exit status 3"), std::string::npos);  // however often it is asked
  EXPECT_FALSE(exits.is_running());
  EXPECT_THROW(
      {
        for (int i = 0; i < 100; ++i) exits.cancel("a");
      },
      Error);
  WorkerProcess dies(shell("kill -SEGV $$"));
  EXPECT_NE(how(dies).find("signal 11"), std::string::npos);
  WorkerProcess babbles(shell("echo hello; exec sleep 100"));
  EXPECT_NE(how(babbles).find("hello"), std::string::npos);
  WorkerProcess endless(shell("yes '{\"done\"' | tr -d '\\n'; exec sleep 100"));
  EXPECT_NE(how(endless).find("it said"), std::string::npos);
  WorkerProcess leaves_a_child(shell("sleep 5 & exit 4"));
  for (int i = 0; i < 50 && leaves_a_child.is_running(); ++i) std::this_thread::sleep_for(20ms);
  EXPECT_NE(leaves_a_child.next(0ms)->error->message().find("exit status 4"), std::string::npos);
  WorkerProcess closes(shell("exec >&-; exec sleep 100"));
  EXPECT_NE(how(closes).find("signal 9"), std::string::npos);
  EXPECT_THROW(WorkerProcess({.program = "/no/such/program"}), Error);
}

TEST_F(WorkerProcesses, are_waited_for_no_longer_than_asked) {
  WorkerProcess silent(shell("exec sleep 100"));
  const auto begin = Clock::now();
  EXPECT_FALSE(silent.next(50ms));
  EXPECT_FALSE(silent.next(0ms));
  EXPECT_LT(Clock::now() - begin, 2s);
  EXPECT_TRUE(silent.is_running());
}

TEST_F(WorkerProcesses, end_when_they_are_told_and_when_they_do_not_listen) {
  WorkerProcess obeys(shell("exec sleep 100"));
  obeys.terminate(10s);
  EXPECT_NE(obeys.next(1s)->error->message().find("signal 15"), std::string::npos);
  WorkerProcess stubborn(shell("trap '' TERM; echo '{\"ready\":{}}'; while :; do sleep 0.1; done"));
  wait_for(stubborn, Kind::ready);
  stubborn.terminate(100ms);
  EXPECT_NE(stubborn.next(1s)->error->message().find("signal 9"), std::string::npos);
}

// The kernel would end it with the thread.
TEST_F(WorkerProcesses, outlive_the_thread_that_started_them) {
  std::unique_ptr<WorkerProcess> worker;
  std::thread([&] { worker = std::make_unique<WorkerProcess>(shell("exec sleep 100")); }).join();
  std::this_thread::sleep_for(50ms);
  EXPECT_TRUE(worker->is_running());
}

std::string output_of(ChildProcess& child) {
  std::string text;
  while (const std::optional<std::string> part = child.read(10s)) text += *part;
  return text;
}

TEST_F(WorkerProcesses, have_no_files_of_ours) {
  const WorkerProcess other(shell("exec sleep 100"));
  const MappedFile file = MappedFile::open("README.md").take();
  FILE* open_file = std::fopen("README.md", "r");  // as a library might leave one
  ChildProcess child("/bin/sh", {"-c", "ls /proc/self/fd | wc -l"});
  EXPECT_EQ(trim(output_of(child)), "4");  // 0, 1, 2, and the folder that ls reads
  std::fclose(open_file);
}

TEST_F(WorkerProcesses, leave_nothing_behind) {
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  int pid = 0;
  const auto before = open_files();
  for (int i = 0; i < 20; ++i) {
    const WorkerProcess worker(shell("exec sleep 100"));
    pid = worker.pid();
  }
  EXPECT_EQ(open_files(), before);
  EXPECT_FALSE(fs::exists(fmt::format("/proc/{}", pid)));  // not even as a zombie
}

// Not a test: what the next one starts and kills.
TEST(DISABLED_Parent, starts_a_child_and_waits) {
  const WorkerProcess child(shell("exec sleep 100"));
  fmt::print("child {}\n", child.pid());
  std::fflush(stdout);
  std::this_thread::sleep_for(100s);
}

bool is_alive(int pid) {
  const std::vector<std::string> words = split(read_stream_file(fmt::format("/proc/{}/stat", pid)), ' ');
  return words.size() > 2 && words[2] != "Z" && words[2] != "X";
}

TEST_F(WorkerProcesses, die_with_their_parent) {
  ChildProcess parent("/proc/self/exe",
                      {"--gtest_filter=DISABLED_Parent*", "--gtest_also_run_disabled_tests"});
  std::string text;
  while (text.find("child ") == std::string::npos || text.back() != '\n')
    text += parent.read(10s).value_or("");
  const int child = std::stoi(text.substr(text.find("child ") + 6));
  EXPECT_TRUE(is_alive(child));
  parent.signal(SIGKILL);
  ASSERT_TRUE(parent.wait(10s));
  for (int i = 0; i < 100 && is_alive(child); ++i) std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(is_alive(child));
}

// The program's promise for workers: killed at any moment, twenty times over one picture, each kill costs no
// more than the evaluation under way, and the picture is that of an undisturbed run.
class KilledWorkers : public WorkerProcesses {
 protected:
  struct Round {
    int known = 0;     // steps that the worker found in the journal, as far as it told
    int reported = 0;  // the last step that it told of
    bool sampled = false;
    bool finished = false;
  };

  using Seconds = std::chrono::duration<double>;
  // What an undisturbed picture takes here.
  struct Times {
    Seconds to_first_step{};
    Seconds of_step{};
  };
  Times measure(const WorkerJob& job, int steps) const {
    const auto begin = Clock::now();
    WorkerProcess worker({.program = kProgram});
    worker.run(job);
    while (wait_for(worker, Kind::progress).body["phase"] != "sampling") continue;
    const auto sampling = Clock::now();
    while (wait_for(worker, Kind::progress).body["phase"] == "sampling") continue;
    return {.to_first_step = sampling - begin, .of_step = Seconds(Clock::now() - sampling) / steps};
  }

  // Starts a worker on the job and kills it after that time, counted from its start or from the first step
  // on.
  enum class From { start, sampling };
  Round run_and_kill(const WorkerJob& job, From from, Seconds after) const {
    WorkerProcess worker({.program = kProgram});
    worker.run(job);
    Round round;
    while (from == From::sampling && !round.sampled && !round.finished) note(worker.next(60s), round);
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(after);
    while (Clock::now() < end) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      note(worker.next(left), round);
    }
    ::kill(worker.pid(), SIGKILL);
    while (const std::optional<WorkerEvent> event = worker.next(10s)) {
      note(event, round);
      if (event->kind == Kind::ended) break;
    }
    return round;
  }
  static void note(const std::optional<WorkerEvent>& event, Round& round) {
    if (event && event->kind == Kind::done) round.finished = true;
    if (!event || event->kind != Kind::progress || event->body["phase"] != "sampling") return;
    round.sampled = true;
    round.reported = std::max<int>(round.reported, event->body["step"]);
    round.known = std::max<int>(round.known, event->body["resumed_steps"]);
  }

  // Evaluations in a journal that nobody uses.
  static int records_in(const fs::path& journal) {
    const std::string text = fs::exists(journal) ? bytes_of(journal) : "";
    if (text.find('\n') == std::string::npos) return 0;
    RecordFile file(journal, text.substr(0, text.find('\n') + 1));
    int count = 0;
    while (file.read()) ++count;
    return count;
  }
};

TEST_F(KilledWorkers, lose_one_step_at_most) {
  constexpr int kSteps = 100;
  constexpr int kKills = 20;
  Recipe recipe = small(kSteps);
  recipe.width = recipe.height = 256;  // so that a step takes longer than getting ready for the first
  recipe.sampler = "euler-a";
  const std::string undisturbed = expected(recipe);
  WorkerJob killed = job("killed", recipe);
  killed.journal = folder_ / "journal";

  measure(job("measured", recipe), kSteps);  // fetches the files from the disk
  const Times times = measure(job("measured", recipe), kSteps);
  std::mt19937 random(20);
  const auto up_to = [&](Seconds most) { return most * std::uniform_real_distribution(0.0, 1.0)(random); };
  int records = 0;
  int sampling = 0;  // kills while the network ran
  for (int kill = 0; kill < kKills; ++kill) {
    // At any moment of its life, and every second time while the network runs.
    const Round round =
        kill % 2 == 0 ? run_and_kill(killed, From::start, up_to(times.to_first_step + 3 * times.of_step))
                      : run_and_kill(killed, From::sampling, up_to(5 * times.of_step));
    ASSERT_FALSE(round.finished) << "too few steps for so many kills";
    const int now = records_in(killed.journal);
    EXPECT_GE(now, records);         // nothing that was there is lost
    EXPECT_GE(now, round.reported);  // nor any step that was done
    if (round.known > 0) {
      EXPECT_EQ(round.known, records) << "all of it was used";
    }
    records = now;
    sampling += round.sampled ? 1 : 0;
  }
  EXPECT_GE(sampling, kKills / 2);
  EXPECT_GE(records, 3);

  WorkerProcess worker({.program = kProgram});
  worker.run(killed);
  const WorkerEvent done = wait_for(worker, Kind::done);
  EXPECT_EQ(done.body["resumed_steps"], records);
  EXPECT_EQ(bytes_of(killed.out), undisturbed);
  RecordProperty("killed_while_sampling", sampling);
  RecordProperty("steps_of_killed_workers", records);
}

}  // namespace
}  // namespace maquette::app
