#include "app/marks.h"

#include "app/picture_recipe.h"
#include "app/picture_record.h"
#include "app/watermark.h"
#include "base/file.h"
#include "marks/c2pa_library.h"
#include "marks/read.h"
#include "marks/xmp_container.h"
#include "media/image_io.h"

namespace maquette::app {

namespace {

using marks::Disclosure;
using marks::ManifestReport;
using marks::ManifestState;
using marks::Step;
using marks::StepKind;

constexpr std::string_view kProgram = "maquette ";  // in front of the version

std::string version_number() { return version().substr(kProgram.size()); }

Step parse_step(const std::string& text) {
  const size_t colon = text.find(':');
  Step step{.kind = marks::parse_step_kind(text.substr(0, colon))};
  if (colon != std::string::npos) step.tool = text.substr(colon + 1);
  return step;
}

void add_model(Disclosure& disclosure, const FileRef& file) {
  if (!file.empty())
    disclosure.models.push_back({.name = fs::path(file.path).stem().string(), .sha256 = file.sha256});
}

// What a recipe did, in the order in which the engine does it.
void describe_recipe(const Recipe& recipe, Disclosure& disclosure) {
  const std::string model = fs::path(recipe.model.path).stem().string();
  if (recipe.init.empty()) {
    disclosure.steps.push_back(
        {.kind = StepKind::sampled, .tool = model, .description = "picture from words"});
  } else {
    disclosure.steps.push_back({.kind = StepKind::imported});
    const bool masked = !recipe.mask.empty() || recipe.outpaint.any();
    disclosure.steps.push_back({.kind = masked ? StepKind::inpainted : StepKind::resampled, .tool = model});
  }
  if (!recipe.upscale.empty())
    disclosure.steps.push_back(
        {.kind = StepKind::upscaled, .tool = fs::path(recipe.upscale.path).stem().string()});
  add_model(disclosure, recipe.model);
  add_model(disclosure, recipe.vae);
  for (const Recipe::Adapter& lora : recipe.loras) add_model(disclosure, lora.file);
  for (const Recipe::Control& control : recipe.controls) add_model(disclosure, control.model);
  add_model(disclosure, recipe.upscale);
}

Disclosure disclosure_of(const MarkRequest& request, const std::optional<Recipe>& recipe) {
  Disclosure disclosure{.title = request.out.filename().string(),
                        .program_version = version_number(),
                        .provider = request.provider,
                        .training_allowed = request.allow_training};
  if (request.reviewed) disclosure.oversight = marks::Oversight::human_validated;
  if (recipe) describe_recipe(*recipe, disclosure);
  if (!request.steps.empty()) {
    disclosure.steps.clear();
    for (const std::string& step : request.steps) disclosure.steps.push_back(parse_step(step));
  }
  if (disclosure.steps.empty()) {
    throw Error(ErrorCode::usage, "nothing says how \"{}\" was made", request.file.string())
        .with("found", "no recipe in the file, and no --step")
        .hint("for example --step sampled:MODEL --step painted");
  }
  fs::path parent = request.parent;
  std::error_code error;
  const bool imported = disclosure.steps.front().kind == StepKind::imported;
  if (parent.empty() && imported && recipe && fs::exists(recipe->init.path, error))
    parent = recipe->init.path;
  if (!parent.empty()) disclosure.sources.push_back({.file = parent});
  for (const fs::path& component : request.components)
    disclosure.sources.push_back({.file = component, .component = true});
  return disclosure;
}

marks::XmpFields xmp_of(const MarkRequest& request, const Disclosure& disclosure,
                        const std::optional<Recipe>& recipe) {
  marks::XmpFields fields{.digital_source_type = marks::digital_source_type(disclosure)};
  if (!marks::is_generated(disclosure)) return fields;
  fields.ai_system = "Maquette";
  for (const marks::ModelUsed& model : disclosure.models) fields.ai_system += ", " + model.name;
  fields.ai_system_version = disclosure.program_version;
  fields.prompt_writer = request.prompt_writer;
  if (recipe && !request.withhold_prompt) fields.prompt = recipe->prompt;
  return fields;
}

// --- telling what marks say ------------------------------------------------------------------------------

std::string in_words(const ManifestReport& report) {
  switch (report.state) {
    case ManifestState::none: return "none";
    case ManifestState::valid: return "in order: nothing was changed, and the signer is known here";
    case ManifestState::untrusted: return "nothing was changed; who signed it is not known here";
    case ManifestState::invalid:
      return "does NOT fit: the file or the manifest was changed after signing, or is damaged";
  }
  return "";
}

Json json_of(const ManifestReport& report) {
  Json actions = Json::array();
  for (const marks::ActionFacts& each : report.actions) {
    actions.push_back({{"action", each.action},
                       {"source_type", each.source_type},
                       {"tool", each.tool},
                       {"when", each.when},
                       {"description", each.description}});
  }
  Json ingredients = Json::array();
  for (const marks::IngredientFacts& each : report.ingredients) {
    ingredients.push_back({{"title", each.title},
                           {"relationship", each.relationship},
                           {"id", each.id},
                           {"has_manifest", each.has_manifest}});
  }
  return {
      {"state", name(report.state)},   {"sidecar", report.sidecar ? Json(report.sidecar->string()) : Json()},
      {"problems", report.problems},   {"title", report.title},
      {"generator", report.generator}, {"signed_by", report.signed_by},
      {"signed_at", report.signed_at}, {"actions", actions},
      {"ingredients", ingredients}};
}

void add_line(std::vector<std::string>& lines, std::string_view what, const std::string& value) {
  if (!value.empty()) lines.push_back(fmt::format("{:<12}{}", what, value));
}

void describe(const ManifestReport& report, std::vector<std::string>& lines) {
  add_line(lines, "manifest", in_words(report));
  for (const std::string& problem : report.problems) add_line(lines, "  found", problem);
  if (report.sidecar) add_line(lines, "  beside", report.sidecar->string());
  add_line(lines, "made with", report.generator);
  add_line(lines, "signed by", report.signed_by);
  add_line(lines, "signed at", report.signed_at);
  for (const marks::ActionFacts& action : report.actions) {
    std::string text = action.action;
    if (!action.source_type.empty()) text += fmt::format(" ({})", action.source_type);
    if (!action.tool.empty()) text += " with " + action.tool;
    add_line(lines, "step", text);
  }
  for (const marks::IngredientFacts& each : report.ingredients) {
    add_line(lines, "from",
             fmt::format("{} ({}){}", each.title, each.relationship,
                         each.has_manifest ? ", with its own manifest" : ""));
  }
}

void describe(const marks::XmpFields& fields, Facts& facts) {
  const size_t last = fields.digital_source_type.rfind('/') + 1;
  add_line(facts.lines, "metadata", fields == marks::XmpFields{} ? "none about how it was made" : "");
  add_line(facts.lines, "source type", fields.digital_source_type.substr(last));
  add_line(facts.lines, "AI system",
           fields.ai_system + (fields.ai_system_version.empty() ? "" : " " + fields.ai_system_version));
  add_line(facts.lines, "prompt", fields.prompt);
  add_line(facts.lines, "prompt by", fields.prompt_writer);
  facts.json["metadata"] = {{"digital_source_type", fields.digital_source_type},
                            {"ai_system", fields.ai_system},
                            {"ai_system_version", fields.ai_system_version},
                            {"prompt", fields.prompt},
                            {"prompt_writer", fields.prompt_writer}};
}

// Damaged metadata say nothing.
marks::XmpFields metadata_of_file(const fs::path& path) {
  const MappedFile file = MappedFile::open(path).take();
  const auto packet = marks::find_xmp(file.bytes());
  if (!packet || !*packet) return {};
  const auto fields = marks::read_xmp(**packet);
  return fields ? *fields : marks::XmpFields{};
}

// The watermarks of a picture; why it was not looked for any in other files.
struct WatermarkFacts {
  std::vector<watermark::Recognised> known;
  std::string not_looked_for;
};

WatermarkFacts watermarks_of_file(const fs::path& path) {
  const MappedFile file = MappedFile::open(path).take();
  const auto format = media::detect_format(file.bytes());
  if (!format) return {.not_looked_for = "not looked for: the file is no picture that is read here"};
  if (*format == media::ImageFormat::exr || *format == media::ImageFormat::hdr)
    return {.not_looked_for = "not looked for: pictures of linear light have none"};
  const auto picture = media::read_image(path);
  if (!picture) return {.not_looked_for = "not looked for: the picture is damaged"};
  return {.known = watermark::recognise(media::to_8bit(*picture))};
}

void describe(const WatermarkFacts& marks, Facts& facts) {
  Json known = Json::array();
  for (const watermark::Recognised& mark : marks.known) {
    known.push_back(
        {{"name", mark.name}, {"matching", mark.matching}, {"length", mark.length}, {"chance", mark.chance}});
    add_line(facts.lines, "watermark",
             fmt::format("that of {}: {} of {} bits", mark.name, mark.matching, mark.length));
  }
  facts.json["watermark"] = {{"known", known}, {"not_looked_for", marks.not_looked_for}};
  if (!marks.known.empty()) return;
  add_line(facts.lines, "watermark",
           marks.not_looked_for.empty() ? "none that is known; scaling and cropping remove them"
                                        : marks.not_looked_for);
}

std::optional<Error> verdict_on(const fs::path& file, const ManifestReport& report, bool has_other_marks,
                                bool must_be_trusted) {
  if (report.state == ManifestState::invalid) {
    return Error(ErrorCode::bad_file, "the marks of \"{}\" do not fit it", file.string())
        .with("found", fmt::format("{}", fmt::join(report.problems, ", ")));
  }
  if (report.state == ManifestState::untrusted && must_be_trusted)
    return Error(ErrorCode::refused, "\"{}\" was not signed by anybody who is trusted", file.string());
  if (report.state == ManifestState::none && must_be_trusted && has_other_marks)
    return Error(ErrorCode::refused, "\"{}\" was not signed by anybody who is trusted", file.string());
  if (report.state == ManifestState::none && !has_other_marks)
    return Error(ErrorCode::not_found, "\"{}\" has no marks", file.string());
  return std::nullopt;
}

}  // namespace

Facts mark_file(const MarkRequest& request, const marks::Signer& signer) {
  const Result<PictureRecipe> read = recipe_of_picture(request.file);
  const std::optional<Recipe> recipe = read ? read->recipe : std::nullopt;
  const Disclosure disclosure = disclosure_of(request, recipe);
  const marks::XmpFields xmp = xmp_of(request, disclosure, recipe);
  const marks::SignedFile made = marks::sign_file({request.file, request.out, disclosure, xmp}, signer);
  Facts facts{.json = {{"file", request.out.string()},
                       {"sidecar", made.sidecar ? Json(made.sidecar->string()) : Json()},
                       {"manifest_bytes", made.manifest_bytes},
                       {"metadata", made.wrote_xmp},
                       {"kept_manifest", made.kept_manifest}},
              .lines = {fmt::format("marked {}", request.out.string())}};
  if (made.sidecar) facts.lines.push_back(fmt::format("  manifest  {}", made.sidecar->string()));
  if (made.kept_manifest) facts.lines.push_back("  parent    the manifest that the file had is kept");
  if (request.withhold_prompt && recipe)
    facts.lines.push_back("  note      the picture's own record still holds the prompt");
  return facts;
}

Verification verify_file(const fs::path& file, const std::string& roots_pem, bool must_be_trusted) {
  Verification result;
  Facts& facts = result.facts;
  const marks::XmpFields fields = metadata_of_file(file);
  const WatermarkFacts watermarks = watermarks_of_file(file);
  const bool has_other_marks = fields != marks::XmpFields{} || !watermarks.known.empty();
  facts.json["file"] = file.string();
  if (marks::has_c2pa_library()) {
    const ManifestReport report = marks::read_manifest(file, {.roots_pem = roots_pem});
    facts.json["manifest"] = json_of(report);
    describe(report, facts.lines);
    result.verdict = verdict_on(file, report, has_other_marks, must_be_trusted);
  } else {
    // The other marks are told, but nobody shall take that for a check of the file.
    facts.json["manifest"] = {{"state", "unread"}, {"problems", {"the C2PA library is not there"}}};
    add_line(facts.lines, "manifest", "not looked for: the C2PA library, which reads it, is not there");
    result.verdict = Error(ErrorCode::failed, "cannot tell whether the marks of \"{}\" fit it", file.string())
                         .with("found", "no C2PA library, which reads manifests")
                         .hint("scripts/fetch_c2pa fetches it");
  }
  describe(fields, facts);
  describe(watermarks, facts);
  return result;
}

}  // namespace maquette::app
