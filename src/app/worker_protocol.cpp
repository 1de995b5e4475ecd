#include "app/worker_protocol.h"

#include <algorithm>

namespace maquette::app {

namespace {

Error bad_job(const std::string& field, const Json& found, std::string_view expected) {
  return Error(ErrorCode::usage, "cannot use \"{}\" of a job", field)
      .with("found", found.is_null() ? "nothing" : found.dump(-1, ' ', false, Json::error_handler_t::replace))
      .with("expected", expected);
}

// Fields of a job, each read at most once; what was not read is unknown.
class JobReader {
 public:
  explicit JobReader(const Json& json) : json_(json) {}

  std::string text(const std::string& field, bool required) {
    const Json value = take(field);
    if (value.is_null() && !required) return {};
    if (!value.is_string() || (required && value.get<std::string>().empty()))
      throw bad_job(field, value, "a text");
    return value.get<std::string>();
  }
  int number(const std::string& field, int otherwise, int least, int most) {
    const Json value = take(field);
    if (value.is_null()) return otherwise;
    const bool fits = value.is_number_integer() && value >= least && value <= most;
    if (!fits) throw bad_job(field, value, fmt::format("a whole number from {} to {}", least, most));
    return value.get<int>();
  }
  Json take(const std::string& field) {
    known_.push_back(field);
    return json_.contains(field) ? json_.at(field) : Json();
  }
  void require_nothing_else() const {
    for (const auto& [field, value] : json_.items()) {
      if (std::ranges::find(known_, field) == known_.end()) throw bad_job(field, value, "no such field");
    }
  }

 private:
  const Json& json_;
  std::vector<std::string> known_;
};

std::string text_in(const Json& json, const char* field) {
  return json.is_object() && json.contains(field) && json[field].is_string() ? json[field].get<std::string>()
                                                                             : "";
}

}  // namespace

Json to_json(const WorkerJob& job) {
  Json json{{"id", job.id}, {"recipe", to_json(job.recipe)}, {"out", job.out.string()}};
  if (!job.journal.empty()) json["journal"] = job.journal.string();
  if (!job.preview.empty()) json["preview"] = job.preview.string();
  if (job.preview_every != 1) json["preview_every"] = job.preview_every;
  if (job.bits != 8) json["bits"] = job.bits;
  return json;
}

Result<WorkerJob> worker_job_from_json(const Json& json) {
  try {
    if (!json.is_object()) throw bad_job("run", json, "an object");
    JobReader reader(json);
    WorkerJob job{.id = reader.text("id", true),
                  .recipe = {},
                  .out = reader.text("out", true),
                  .journal = reader.text("journal", false),
                  .preview = reader.text("preview", false),
                  .preview_every = reader.number("preview_every", 1, 1, 1'000'000),
                  .bits = reader.number("bits", 8, 8, 16)};
    if (job.bits != 8 && job.bits != 16) throw bad_job("bits", job.bits, "8 or 16");
    const Json recipe = reader.take("recipe");
    if (!recipe.is_object()) throw bad_job("recipe", recipe, "a recipe");
    reader.require_nothing_else();
    job.recipe = recipe_from_json(recipe).take();
    return job;
  } catch (const Error& error) {
    return error;
  }
}

Error error_from_json(const Json& json) {
  ErrorCode code = ErrorCode::failed;
  for (int i = 0; i <= static_cast<int>(ErrorCode::limit_exceeded); ++i) {
    if (name(static_cast<ErrorCode>(i)) == text_in(json, "code")) code = static_cast<ErrorCode>(i);
  }
  Error error(code, "{}", text_in(json, "what"));
  if (json.is_object() && json.contains("fields") && json["fields"].is_object()) {
    for (const auto& [field, value] : json["fields"].items()) {
      if (value.is_string()) error.with(field, value.get<std::string>());
    }
  }
  if (const std::string hint = text_in(json, "hint"); !hint.empty()) error.hint("{}", hint);
  return error;
}

}  // namespace maquette::app
