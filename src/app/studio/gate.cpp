#include "app/studio/gate.h"

#include <mutex>

#include "app/models_folder.h"
#include "app/studio/job_recipe.h"
#include "base/identifiers.h"
#include "diffusion/file_hashes.h"
#include "production/references.h"
#include "text/folding.h"

namespace maquette::app {

// models/starter/MODEL_CARD.md. The hash is that of the folder's files, as recipes name it.
const rights::ModelRecord& starter_record() {
  static const rights::ModelRecord kRecord = {
      .name = "starter",
      .kind = "checkpoint",
      .sha256 = "b5a0aa1c656f19dc3cf4dede33e3c23c81343e094756753829e1d6379be4cb89",
      .source = "comes with Maquette",
      .licence = {.id = "Apache-2.0",
                  .claimed_by = "the authors of Maquette, in the model's card",
                  .where = "models/starter/MODEL_CARD.md",
                  .snapshot_sha256 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
                  .snapshot_date = "2026-11-23"},
      .training = rights::Training::disclosed,
      .evidence = {"models/starter/MODEL_CARD.md", "models/starter/how/painter.py"},
      .bases = std::vector<std::string>{},
      .notes = "trained on pictures that its own script paints; the licence's text is LICENSE"};
  return kRecord;
}

std::string model_hash(const std::string& name) {
  static std::mutex mutex;
  static diffusion::FileHashes hashes;
  const std::lock_guard lock(mutex);
  return hashes.of(find_model(name));
}

namespace {

// Everything in the recipe that is words, and the names of its models: an adapter may be called after
// somebody.
std::vector<std::string> words_of(const Recipe& recipe, const std::vector<std::string>& models) {
  std::string text = recipe.prompt + "\n" + recipe.negative.value_or("");
  for (const Recipe::Region& region : recipe.regions) text += "\n" + region.prompt;
  for (const std::string& model : models) text += "\n" + model;
  return text::folded_words(text);
}

}  // namespace

rights::Decision decide(Studio& studio, const db::Row& task, const Recipe& recipe) {
  const std::string show_id = task.text("show_id");
  const std::vector<std::string> names = model_names_of(recipe);
  rights::RecipeFacts facts{.words = words_of(recipe, names), .has_inputs = has_input_pictures(recipe)};
  for (const std::string& name : names) facts.models.push_back({.name = name});

  rights::GateRecords records;
  {
    const db::Lease c = studio.database().connect();
    facts.task = production::task_name(*c, task);
    records = rights::load_for_gate(*c, show_id, facts);
  }
  records.models.try_emplace(starter_record().name, starter_record());
  for (rights::UsedModel& model : facts.models) {
    // What is in no register is refused anyway, and need not be read.
    if (records.profile && records.models.contains(model.name)) model.sha256 = model_hash(model.name);
  }
  return rights::gate({.facts = facts,
                       .models = records.models,
                       .profile = records.profile ? &*records.profile : nullptr,
                       .people = records.people,
                       .statements = records.statements,
                       .today = today()});
}

void require_allowed(const rights::Decision& decision) {
  if (decision.verdict == rights::Verdict::allow) return;
  const bool refused = decision.verdict == rights::Verdict::refuse;
  Error error(ErrorCode::refused, "{}",
              refused ? "the production's rights do not allow this picture"
                      : "this picture needs approvals before it is made");
  int count = 0;
  for (const rights::Reason& reason : decision.reasons) {
    if (!reason.open()) continue;
    // Numbered: an answer of the API holds each field once.
    const std::string field = ++count == 1 ? "reason" : fmt::format("reason {}", count);
    const std::string who = reason.approver.empty() ? "" : fmt::format("; approval: {}", reason.approver);
    error.with(field, fmt::format("{} [{} {}{}]", reason.text, reason.code, reason.subject, who));
  }
  throw error.hint("{}", refused ? "another model or other terms; \"maquette gate check\" tells all reasons"
                                 : "maquette clearance add SHOW CODE SUBJECT APPROVER");
}

std::string today() { return utc_now().substr(0, 10); }

}  // namespace maquette::app
