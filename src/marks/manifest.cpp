// C2PA 2.2: sections 18.15 (actions), 18.16 (ingredients), 2.4: 18.28 (AI disclosure); CAWG training and data
// mining 1.1; source types of the IPTC.
#include "marks/manifest.h"

#include <algorithm>

#include "base/identifiers.h"
#include "base/text.h"

namespace maquette::marks {

namespace {

struct KindFacts {
  StepKind kind;
  std::string_view name;
  std::string_view action;       // as "c2pa.ACTION"
  std::string_view source_type;  // the end of the IPTC's URI; empty: none
  bool beginning = false;
  bool by_model = false;
  // What is done to a picture that was there already.
  std::string_view later_action = action;
  std::string_view later_source_type = source_type;
};

constexpr std::string_view kTrained = "trainedAlgorithmicMedia";
constexpr std::string_view kTrainedComposite = "compositeWithTrainedAlgorithmicMedia";

constexpr KindFacts kKinds[] = {
    {StepKind::sampled, "sampled", "created", kTrained, true, true, "edited", kTrainedComposite},
    {StepKind::procedural, "procedural", "created", "algorithmicMedia", true, false, "edited"},
    {StepKind::drawn, "drawn", "created", "digitalCreation", true, false, "drawing", "humanEdits"},
    {StepKind::imported, "imported", "opened", "", true},
    {StepKind::resampled, "resampled", "edited", kTrainedComposite, false, true},
    {StepKind::inpainted, "inpainted", "edited", kTrainedComposite, false, true},
    {StepKind::painted, "painted", "drawing", "humanEdits"},
    {StepKind::upscaled, "upscaled", "enhanced", "algorithmicallyEnhanced", false, true},
    {StepKind::composited, "composited", "placed", ""},
    {StepKind::graded, "graded", "adjustedColor", ""},
    {StepKind::cropped, "cropped", "cropped", ""},
    {StepKind::resized, "resized", "resized", ""},
    {StepKind::converted, "converted", "transcoded", ""},
    {StepKind::watermarked, "watermarked", "watermarked.unbound", ""},
};

const KindFacts& facts_of(StepKind kind) { return *std::ranges::find(kKinds, kind, &KindFacts::kind); }

std::string source_uri(std::string_view type) {
  return fmt::format("http://cv.iptc.org/newscodes/digitalsourcetype/{}", type);
}

std::string model_label(size_t index) { return fmt::format("model-{}", index + 1); }

[[noreturn]] void refuse_steps(std::string_view found, std::string_view expected) {
  throw Error(ErrorCode::usage, "cannot say how the picture was made")
      .with("found", found)
      .with("expected", expected);
}

// The first step says how it began, no other does, and what is placed has a file.
void check_steps(const Disclosure& disclosure, bool has_parent) {
  if (disclosure.steps.empty()) refuse_steps("no steps", "how it began, then what was done");
  for (size_t i = 0; i < disclosure.steps.size(); ++i) {
    const KindFacts& facts = facts_of(disclosure.steps[i].kind);
    if (i > 0 && facts.beginning && facts.kind != StepKind::sampled)
      refuse_steps(fmt::format("\"{}\" as step {}", facts.name, i + 1), "it first");
    if (i == 0 && !facts.beginning && !has_parent)
      refuse_steps(fmt::format("\"{}\" first, and no file that it was done to", facts.name),
                   "sampled, procedural, drawn, or imported from a file");
    if (facts.kind == StepKind::imported && !has_parent)
      refuse_steps("\"imported\" without a file", "the file");
    if (facts.kind == StepKind::composited &&
        std::ranges::none_of(disclosure.sources, &SourceFile::component))
      refuse_steps("\"composited\" without what was placed", "a component's file at least");
  }
}

Json action_of(const Step& step, bool later) {
  const KindFacts& facts = facts_of(step.kind);
  const std::string_view type = later ? facts.later_source_type : facts.source_type;
  Json action = {{"action", fmt::format("c2pa.{}", later ? facts.later_action : facts.action)}};
  if (!step.when.empty()) action["when"] = step.when;
  if (!type.empty()) action["digitalSourceType"] = source_uri(type);
  if (!step.tool.empty()) {
    action["softwareAgent"] = {{"name", step.tool}};
    if (!step.tool_version.empty()) action["softwareAgent"]["version"] = step.tool_version;
  }
  if (!step.description.empty()) action["description"] = step.description;
  if (!step.author.empty()) action["parameters"]["org.maquette.author"] = step.author;
  return action;
}

Json actions_of(const Disclosure& disclosure, bool has_parent) {
  Json actions = Json::array();
  if (has_parent) {
    const bool says_so = disclosure.steps.front().kind == StepKind::imported;
    Json opened = action_of(says_so ? disclosure.steps.front() : Step{.kind = StepKind::imported}, false);
    opened["parameters"]["ingredientIds"] = Json::array({parent_label()});
    actions.push_back(opened);
  }
  Json components = Json::array();
  for (size_t i = 0; i < disclosure.sources.size(); ++i) {
    if (disclosure.sources[i].component) components.push_back(component_label(i));
  }
  bool models_named = false;
  for (const Step& step : disclosure.steps) {
    if (step.kind == StepKind::imported) continue;
    Json action = action_of(step, !actions.empty());
    if (step.kind == StepKind::composited) action["parameters"]["ingredientIds"] = components;
    // The models stand at the first step that used one: which model did which step is in its software agent.
    if (facts_of(step.kind).by_model && !models_named && !disclosure.models.empty()) {
      Json labels = Json::array();
      for (size_t i = 0; i < disclosure.models.size(); ++i) labels.push_back(model_label(i));
      action["parameters"]["ingredientIds"] = labels;
      models_named = true;
    }
    actions.push_back(action);
  }
  return actions;
}

Json model_ingredients(const Disclosure& disclosure) {
  Json ingredients = Json::array();
  for (size_t i = 0; i < disclosure.models.size(); ++i) {
    const ModelUsed& model = disclosure.models[i];
    Json ingredient = {{"label", model_label(i)},
                       {"title", model.name},
                       {"format", "application/octet-stream"},
                       {"relationship", "inputTo"},
                       {"data_types", Json::array({{{"type", "c2pa.types.model"}}})}};
    if (!model.version.empty()) ingredient["data_types"][0]["version"] = model.version;
    if (!model.sha256.empty()) ingredient["instance_id"] = fmt::format("urn:sha256:{}", model.sha256);
    ingredients.push_back(ingredient);
  }
  return ingredients;
}

std::string_view name_of(Oversight oversight) {
  if (oversight == Oversight::fully_autonomous) return "fully_autonomous";
  return oversight == Oversight::prompt_guided ? "prompt_guided" : "human_validated";
}

Json ai_disclosure(const Disclosure& disclosure, const ModelUsed& model) {
  // The type of a model is its file format in the specification's table; safetensors is not among them.
  Json data = {{"modelType", "c2pa.types.model"}, {"modelName", model.name}};
  if (!model.sha256.empty()) data["modelIdentifier"] = fmt::format("urn:sha256:{}", model.sha256);
  data["contentProfile"] = {{"humanOversightLevel", name_of(disclosure.oversight)}};
  return {{"label", "c2pa.ai-disclosure"}, {"created", true}, {"data", data}};
}

Json training_mining(const Disclosure& disclosure) {
  const Json use = {{"use", disclosure.training_allowed ? "allowed" : "notAllowed"}};
  Json entries;
  for (const char* entry :
       {"cawg.ai_generative_training", "cawg.ai_training", "cawg.data_mining", "cawg.ai_inference"})
    entries[entry] = use;
  return {{"label", "cawg.training-mining"}, {"created", true}, {"data", {{"entries", entries}}}};
}

}  // namespace

std::string_view name(StepKind kind) { return facts_of(kind).name; }

StepKind parse_step_kind(std::string_view word) {
  const auto* found = std::ranges::find(kKinds, word, &KindFacts::name);
  if (found != std::end(kKinds)) return found->kind;
  std::vector<std::string> names;
  for (const KindFacts& facts : kKinds) names.emplace_back(facts.name);
  Error error(ErrorCode::usage, "unknown step \"{}\"", word);
  error.with("expected", fmt::format("{}", fmt::join(names, ", ")));
  if (const auto meant = did_you_mean(word, names)) error.hint("did you mean {}?", *meant);
  throw error;
}

bool is_generated(const Disclosure& disclosure) {
  return std::ranges::any_of(disclosure.steps, [](const Step& step) { return facts_of(step.kind).by_model; });
}

std::string digital_source_type(const Disclosure& disclosure) {
  const auto any = [&disclosure](auto... kinds) {
    return std::ranges::any_of(disclosure.steps,
                               [=](const Step& step) { return ((step.kind == kinds) || ...); });
  };
  const bool by_hand = any(StepKind::drawn, StepKind::painted);
  const bool more = by_hand || any(StepKind::imported, StepKind::composited, StepKind::procedural) ||
                    !disclosure.sources.empty();
  if (is_generated(disclosure)) return source_uri(more ? kTrainedComposite : kTrained);
  if (any(StepKind::drawn)) return source_uri("digitalCreation");
  if (by_hand) return source_uri("humanEdits");
  return source_uri(any(StepKind::procedural) ? "algorithmicMedia" : "composite");
}

std::string parent_label() { return "parent"; }
std::string component_label(size_t index) { return fmt::format("component-{}", index + 1); }

Json manifest_definition(const Disclosure& disclosure, bool has_parent) {
  check_steps(disclosure, has_parent);
  const Json actions = {{"actions", actions_of(disclosure, has_parent)}, {"allActionsIncluded", true}};
  Json assertions = Json::array();
  assertions.push_back({{"label", "c2pa.actions.v2"}, {"created", true}, {"data", actions}});
  assertions.push_back(training_mining(disclosure));
  if (is_generated(disclosure)) {
    for (const ModelUsed& model : disclosure.models) assertions.push_back(ai_disclosure(disclosure, model));
  }
  // Provider, system, version, time and id: what California's SB 942 asks for, and the measured share.
  Json origin = {{"system", "Maquette"},
                 {"systemVersion", disclosure.program_version},
                 {"time", utc_now()},
                 {"id", disclosure.id.empty() ? new_uuid() : disclosure.id}};
  if (!disclosure.provider.empty()) origin["provider"] = disclosure.provider;
  if (disclosure.human_share) origin["humanShare"] = *disclosure.human_share;
  assertions.push_back({{"label", "org.maquette.origin"}, {"created", true}, {"data", origin}});

  Json definition = {{"claim_generator_info",
                      Json::array({{{"name", "Maquette"}, {"version", disclosure.program_version}}})},
                     {"title", disclosure.title},
                     {"assertions", assertions}};
  const Json ingredients = model_ingredients(disclosure);
  if (!ingredients.empty()) definition["ingredients"] = ingredients;
  return definition;
}

}  // namespace maquette::marks
