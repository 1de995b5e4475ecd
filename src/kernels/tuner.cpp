// Candidates take turns, so that a machine that is busy for a moment is busy for all of them; the best time
// of each counts, since disturbances only ever add, and those that fall behind are left out of the next
// turns.
//
// The threads of a library may keep spinning after its call and take the processor from whatever runs next
// (those of OpenMP do, for 10 milliseconds and more). So others run when they have gone to sleep, and before
// a candidate wins, what it costs the next operations is added to its time.
#include "kernels/tuner.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>

#include "base/log.h"
#include "kernels/threads.h"

namespace maquette::kernels {

namespace {

constexpr double kClearlyFaster = 0.95;      // of the time of the list's choice: less could be noise
constexpr double kBehind[] = {3, 1.3, 1.1};  // times the best: who is slower is left out of this turn
constexpr double kTurn = 0.01;               // seconds of a turn, unless a single run takes longer
constexpr double kCompiling = 0.2;           // seconds
constexpr auto kRest = std::chrono::milliseconds(25);  // until threads of libraries sleep
constexpr double kAftermath = 0.03;                    // seconds after a call that are watched
constexpr double kNoAftermath = 1e-3;                  // seconds

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double time_of(const std::function<void()>& work) {
  const double begin = now();
  work();
  return now() - begin;
}

// Work as other operations do it, about 0.3 milliseconds on all threads.
void chore() {
  static std::vector<float> values(size_t{1} << 19);
  parallel_for(static_cast<int64_t>(values.size()), 1024, [](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      values[static_cast<size_t>(i)] = values[static_cast<size_t>(i)] * 0.5f + 1;
  });
}

// The mean time of chores for so many seconds, and how many there were.
std::pair<double, int> chores_for(double seconds) {
  const double begin = now();
  int count = 0;
  while (now() - begin < seconds) {
    chore();
    ++count;
  }
  return {(now() - begin) / count, count};
}

// Seconds that other work loses because it comes right after `run`: the middle one of several attempts, each
// compared with chores of the same moment, so that a busy machine counts on both sides.
double aftermath_of(const std::function<void()>& run) {
  std::array<double, 3> lost;
  for (double& attempt : lost) {
    std::this_thread::sleep_for(kRest);
    const auto [alone, some] = chores_for(kAftermath / 2);
    run();
    const auto [after, count] = chores_for(kAftermath);
    attempt = (after - alone) * count;
  }
  std::ranges::sort(lost);
  return lost[1] < kNoAftermath ? 0 : lost[1];
}

struct Runner {
  std::string_view name;
  std::function<void()> run;
  double best = 1e9;  // seconds
  std::optional<double> aftermath;

  bool spins() const { return name.starts_with("onednn"); }
  double cost() const { return best + aftermath.value_or(0); }
  // The first run may compile: unless it takes long even for that, another one counts.
  void try_once() {
    best = time_of(run);
    if (best < kCompiling) best = time_of(run);
  }
  void take_turn() {
    if (best < kTurn) run();  // wakes threads and caches: of long runs no great part
    const double end = now() + kTurn;
    do {
      best = std::min(best, time_of(run));
    } while (now() < end);
  }
};

bool cheaper(const Runner& a, const Runner& b) { return a.cost() < b.cost(); }

void take_turns(std::vector<Runner>& runners) {
  bool spinning = true;
  const auto run_alone = [&spinning](Runner& runner, const auto& work) {
    if (spinning && !runner.spins()) std::this_thread::sleep_for(kRest);
    work();
    spinning = runner.spins();
  };
  for (Runner& runner : runners) run_alone(runner, [&] { runner.try_once(); });
  for (const double behind : kBehind) {
    const double best = std::ranges::min_element(runners, cheaper)->best;
    for (Runner& runner : runners) {
      if (runner.best <= behind * best) run_alone(runner, [&] { runner.take_turn(); });
    }
  }
}

Choice measure(std::span<const Candidate> candidates) {
  std::vector<Runner> runners;
  for (const Candidate& candidate : candidates) runners.push_back({candidate.name, candidate.prepare()});
  take_turns(runners);
  const std::string by_list(runners[0].name);
  while (true) {
    Runner& fastest = *std::ranges::min_element(runners, cheaper);
    const double ratio = fastest.cost() / runners[0].cost();
    if (!(ratio < kClearlyFaster)) return {by_list, by_list, 1};
    if (fastest.aftermath) return {by_list, std::string(fastest.name), std::max(ratio, 1e-6)};
    fastest.aftermath = aftermath_of(fastest.run);
    if (!runners[0].aftermath) runners[0].aftermath = aftermath_of(runners[0].run);
    for (const Runner& runner : runners) {
      log::debug("  {:<20} {:9.3f} ms, and {:.3f} of what comes next", runner.name, 1e3 * runner.best,
                 1e3 * runner.aftermath.value_or(0));
    }
  }
}

}  // namespace

void Tuner::meet(const std::string& problem, std::span<const Candidate> candidates) {
  if (candidates.size() < 2) return;
  const std::string by_list(candidates[0].name);
  if (met_.insert(problem).second) problems_.push_back({problem, by_list});
  if (!measuring || find_choice(problem, by_list)) return;
  log::debug("{}", problem);
  remember_choice(problem, measure(candidates));
  if (measured) measured();
}

size_t Tuner::unknown() const {
  return static_cast<size_t>(std::ranges::count_if(
      problems_, [](const Problem& problem) { return !find_choice(problem.text, problem.by_list); }));
}

}  // namespace maquette::kernels
