// Tuner: measures the implementations of a problem against each other on its real input, and remembers the
// fastest (kernels/choice.h). Candidates: the implementations that one call of a front function may take.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/choice.h"

namespace maquette::kernels {

struct Candidate {
  std::string_view name;
  // Packs the weights for itself; the answer computes the problem once. What it writes is written over later.
  std::function<std::function<void()>()> prepare;
};

// Hung on an Exec it sees every problem of a network. For one thread.
class Tuner {
 public:
  struct Problem {
    std::string text;
    std::string by_list;
  };

  bool measuring = false;          // false: problems are only listed
  std::function<void()> measured;  // called after each one that was measured; may throw to stop

  // `candidates` as the list orders them. Measures them if there are several and nothing is known yet.
  void meet(const std::string& problem, std::span<const Candidate> candidates);
  // Those that have several candidates, in the order in which they were met.
  const std::vector<Problem>& problems() const { return problems_; }
  size_t unknown() const;  // how many of them have not been measured

 private:
  std::vector<Problem> problems_;
  std::set<std::string, std::less<>> met_;
};

// The implementations that accept a problem, best first, each with `prepare` for it. The reference is among
// them only where it is the only one.
template <typename Implementation>
class Candidates {
 public:
  template <typename Problem, typename Prepare>
  Candidates(Tuner* tuner, std::span<const Implementation> list, const Problem& problem,
             const Prepare& prepare)
      : tuner_(tuner), has_choice_(tuner || has_choices()) {
    for (const Implementation& implementation : list) {
      if (!implementation.accepts(problem)) continue;
      if (implementation.name == "reference" && !able_.empty()) continue;
      able_.push_back(&implementation);
      if (!has_choice_) return;  // the first it is
      candidates_.push_back(
          {implementation.name, [&prepare, &implementation] { return prepare(implementation); }});
    }
  }
  // Another way than an implementation, for when none is chosen.
  void add(Candidate otherwise) { candidates_.push_back(std::move(otherwise)); }

  // `text()` names the problem for one picture. Null: none accepts it, or the other way is chosen.
  template <typename Text>
  const Implementation* choose(const Text& text) const {
    const Implementation* first = able_.empty() ? nullptr : able_[0];
    if (!has_choice_ || candidates_.size() < 2) return first;
    const std::string problem = text();
    if (tuner_) tuner_->meet(problem, candidates_);
    const auto choice = find_choice(problem, candidates_[0].name);
    if (!choice) return first;
    for (size_t i = 0; i < candidates_.size(); ++i) {
      if (candidates_[i].name == choice->fastest) return i < able_.size() ? able_[i] : nullptr;
    }
    return first;
  }

 private:
  Tuner* tuner_;
  bool has_choice_;  // somebody measures, or measured
  std::vector<const Implementation*> able_;
  std::vector<Candidate> candidates_;  // one for each, then the other way
};

}  // namespace maquette::kernels
