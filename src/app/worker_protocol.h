// What a worker and who started it say to each other: one JSON object a line (docs/jobs.md).
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"
#include "base/recipe.h"

namespace maquette::app {

inline constexpr size_t kLongestLine = size_t{4} << 20;  // bytes, both ways

// One picture to make.
struct WorkerJob {
  std::string id;
  Recipe recipe;
  std::filesystem::path out;      // the picture; its extension chooses the format
  std::filesystem::path journal;  // empty: none, and a kill costs the whole picture
  std::filesystem::path preview;  // empty: none; written over again and again
  int preview_every = 1;          // steps
  int bits = 8;
};

// {"id": ..., "recipe": {...}, "out": ..., ...}, fields at their defaults left out.
Json to_json(const WorkerJob& job);
// Errors: a field that is missing, unknown or of the wrong type; what recipe_from_json says.
Result<WorkerJob> worker_job_from_json(const Json& json);

// Of base/json.h: {"code": "no-memory", "what": ..., "fields": {...}, "hint": ...}
Error error_from_json(const Json& json);  // what is missing stays empty

}  // namespace maquette::app
