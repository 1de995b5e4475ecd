// Tuning: a model runs with measuring on, and what was the fastest for each of its problems is remembered.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/recipe.h"

namespace maquette::app {

struct TuneRequest {
  Recipe recipe;  // model, size, init picture; precision: what is tuned, automatic: all that make sense here
  int threads = 0;  // 0: as the system says
  ProgressCallback progress;
};

struct TuneReport {
  struct Problem {
    std::string text;     // "conv3x3 1x64x64x320->320 bf16"
    std::string by_list;  // the implementation without tuning
    std::string fastest;
    double ratio = 1;  // of their times
  };
  struct Step {
    Precision precision;
    size_t measured = 0;      // problems that were not known before
    double before = 0;        // seconds of one guided step with what was known before
    double after = 0;         // and with what is known now
    bool taken_back = false;  // what was chosen made the step slower, and was undone
  };
  std::vector<Problem> problems;  // that have several implementations, in the order in which they were met
  std::vector<Step> steps;
  Precision automatic;  // what --precision auto computes in from now on
  std::filesystem::path file;
  std::string hash;  // of the table, as pictures record it; empty where it changes nothing
};
Json to_json(const TuneReport& report);

// Measures what is not known yet and writes the table, also where it is cancelled or fails half-way. Throws
// Error.
TuneReport tune(const TuneRequest& request);

}  // namespace maquette::app
