// Candidates take turns, so that a machine that is busy for a moment is busy for all of them; the best time
// of each counts, since disturbances only ever add, and those that fall behind are left out of the next
// turns.
//
// The threads of a library may keep spinning after its call and take the processor from whatever runs next
// (those of OpenMP do, for 10 milliseconds and more). So a turn begins when they have gone to sleep, and what
// they cost the others is added to the time of each call.
#include "kernels/tuner.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "kernels/threads.h"

namespace maquette::kernels {

namespace {

constexpr double kClearlyFaster = 0.95;  // of the time of the list's choice: less could be noise
constexpr double kHopeless = 3;          // times the best: after the first turn
constexpr double kBehind = 1.2;          // times the best: after the others
constexpr int kTurns = 4;
constexpr double kTurn = 0.02;                         // seconds of a turn, unless a single run takes longer
constexpr auto kRest = std::chrono::milliseconds(25);  // until threads of libraries sleep
constexpr double kAftermath = 0.03;                    // seconds after a call that are watched

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

// Seconds that other work loses because it comes right after `run`.
double aftermath_of(const std::function<void()>& run) {
  double least = kAftermath;
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::this_thread::sleep_for(kRest);
    double alone = kAftermath;
    for (int i = 0; i < 10; ++i) alone = std::min(alone, time_of(chore));
    run();
    double lost = 0;
    for (const double end = now() + kAftermath; now() < end;)
      lost += std::max(time_of(chore) - 1.2 * alone, 0.0);
    least = std::min(least, lost);
  }
  return least;
}

struct Runner {
  std::string_view name;
  std::function<void()> run;
  double aftermath = 0;  // seconds
  double best = 1e9;     // seconds, with the aftermath

  void take_turn() {
    run();
    const double end = now() + kTurn;
    do {
      best = std::min(best, time_of(run) + aftermath);
    } while (now() < end);
  }
};

}  // namespace

Choice Tuner::measure(std::span<const Candidate> candidates) {
  std::vector<Runner> runners;
  for (const Candidate& candidate : candidates) {
    Runner runner{candidate.name, candidate.prepare()};
    const auto known = aftermaths_.find(candidate.name);
    runner.aftermath = known != aftermaths_.end() ? known->second : aftermath_of(runner.run);
    aftermaths_.emplace(candidate.name, runner.aftermath);
    runners.push_back(std::move(runner));
  }
  const bool spins = std::ranges::any_of(runners, [](const Runner& r) { return r.aftermath > 1e-3; });

  const auto by_time = [](const Runner& a, const Runner& b) { return a.best < b.best; };
  for (int turn = 0; turn < kTurns; ++turn) {
    const double best = std::ranges::min_element(runners, by_time)->best;
    const double behind = turn == 0 ? 1 : turn == 1 ? kHopeless : kBehind;
    for (Runner& runner : runners) {
      if (runner.best > behind * best) continue;
      if (spins) std::this_thread::sleep_for(kRest);
      runner.take_turn();
    }
  }

  const Runner& by_list = runners[0];
  const Runner& fastest = *std::ranges::min_element(runners, by_time);
  const double ratio = fastest.best / by_list.best;
  if (!(ratio < kClearlyFaster)) return {std::string(by_list.name), std::string(by_list.name), 1};
  return {std::string(by_list.name), std::string(fastest.name), std::max(ratio, 1e-6)};
}

void Tuner::meet(const std::string& problem, std::span<const Candidate> candidates) {
  if (candidates.size() < 2) return;
  const std::string by_list(candidates[0].name);
  if (met_.insert(problem).second) problems_.push_back({problem, by_list});
  if (!measuring || find_choice(problem, by_list)) return;
  remember_choice(problem, measure(candidates));
  if (measured) measured();
}

size_t Tuner::unknown() const {
  return static_cast<size_t>(std::ranges::count_if(
      problems_, [](const Problem& problem) { return !find_choice(problem.text, problem.by_list); }));
}

}  // namespace maquette::kernels
