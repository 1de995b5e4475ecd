#include "app/inspect.h"

#include <cmath>

#include "app/models_folder.h"
#include "app/picture_recipe.h"
#include "app/picture_record.h"
#include "base/file.h"
#include "base/recipe.h"
#include "diffusion/check_fit.h"
#include "diffusion/file_hashes.h"
#include "media/a1111_parameters.h"
#include "media/image_io.h"
#include "media/psnr.h"
#include "media/tiling.h"
#include "models/adapters/adapter.h"
#include "sampling/samplers.h"
#include "sampling/schedule.h"
#include "text/prompt.h"
#include "weights/detect.h"
#include "weights/hashes.h"

namespace maquette::app {

namespace {

void list_names(std::string_view what, const std::vector<std::string>& names,
                std::vector<std::string>& lines) {
  if (names.empty()) return;
  lines.push_back(fmt::format("{} {}:", names.size(), what));
  constexpr size_t kShown = 20;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) lines.push_back("  " + names[i]);
  if (names.size() > kShown) lines.push_back(fmt::format("  ... and {} more", names.size() - kShown));
}

media::Image8 read_8bit(const fs::path& file) { return media::to_8bit(media::read_image(file).take()); }

}  // namespace

namespace {

void add_hashes(const fs::path& file, weights::ModelReport& report, Facts& facts) {
  if (!report.hashes) {  // a folder: the hash by which recipes know it
    const std::string sha256 = diffusion::FileHashes().of(file.string());
    facts.json["hashes"] = {{"sha256", sha256}};
    facts.lines.push_back(fmt::format("SHA-256     {} (of the folder's files, as in recipes)", sha256));
    return;
  }
  facts.lines.push_back(fmt::format("SHA-256     {}", report.hashes->sha256));
  facts.lines.push_back(fmt::format("A1111 hash  {} ({} before its version 1.0)", report.hashes->a1111_short,
                                    report.hashes->a1111_legacy));
  if (!report.hashes->tensors.empty())
    facts.lines.push_back(fmt::format("tensor hash {}", report.hashes->tensors));
}

void tell_family(const weights::ModelReport& report, std::vector<std::string>& lines) {
  const std::string variant = report.unet ? fmt::format(" ({})", report.variant) : "";
  lines.push_back(
      fmt::format("family      {}{}: {}", weights::name(report.family), variant, report.family_reason));
  if (!report.unet) return;
  lines.push_back(
      fmt::format("prediction  {}: {}", weights::name(report.prediction), report.prediction_reason));
  lines.push_back(fmt::format("input       {}", weights::name(report.input)));
}

}  // namespace

Facts inspect_model(const fs::path& given) {
  fs::path file = find_model(given.string());
  if (const auto adapter = models::adapter_file_in(file)) file = *adapter;
  const weights::Checkpoint checkpoint = weights::open_checkpoint(file).take();
  weights::ModelReport report = weights::describe(checkpoint);
  if (fs::is_regular_file(file)) report.hashes = weights::hash_file(file).take();
  const diffusion::Fit fit = diffusion::check_fit(checkpoint);

  Facts facts{.json = report.to_json(), .lines = {}};
  facts.json["matched"] = fit.matched;
  facts.json["missing"] = fit.missing;
  facts.json["unused"] = fit.unused;

  facts.lines.push_back(fmt::format("{}  ({})", file.string(), weights::name(report.layout)));
  tell_family(report, facts.lines);
  for (const weights::ComponentReport& part : report.components) {
    facts.lines.push_back(fmt::format("{:<16} {:>10.2f} M parameters, {} tensors, {}, {} names", part.kind,
                                      static_cast<double>(part.parameters) / 1e6, part.tensors,
                                      part.precision, part.layout));
  }
  if (!fit.form.empty()) {
    facts.json["form"] = fit.form;
    facts.lines.push_back(fmt::format("form        {}", fit.form));
  }
  facts.lines.push_back(fmt::format("tensors     {} matched, {} missing, {} unexpected, {} ignored",
                                    fit.matched, fit.missing.size(),
                                    report.unexpected.size() + fit.unused.size(), report.ignored));
  list_names("missing", fit.missing, facts.lines);
  list_names("in known networks, used by none", fit.unused, facts.lines);
  list_names("unexpected", report.unexpected, facts.lines);
  for (const auto& [key, value] : report.metadata) {
    facts.lines.push_back(fmt::format("{} = {}", key, value.substr(0, 200)));
  }
  add_hashes(file, report, facts);
  return facts;
}

Facts show_recipe(const fs::path& file) {
  if (file.extension() == ".json") {
    const Json document = parse_json(read_text_file(file).take(), file.string()).take();
    const Recipe recipe = recipe_of_record(document).take();
    return {.json = {{"recipe", to_json(recipe)}}, .lines = {to_json(recipe).dump(2)}};
  }
  const media::PictureMetadata metadata = media::read_picture_metadata(file).take();
  Facts facts{.json = Json::object(), .lines = {}};
  if (metadata.recipe_json) {
    const Json record = parse_json(*metadata.recipe_json, file.string()).take();
    const Recipe recipe = recipe_of_record(record).take();
    facts.json = record.contains("recipe") ? record : Json{{"recipe", record}};
    facts.json["recipe_hash"] = recipe_hash(recipe);
    facts.lines.push_back(to_json(recipe).dump(2));
  }
  if (metadata.parameters) {
    facts.json["parameters"] = *metadata.parameters;
    facts.lines.push_back(*metadata.parameters);
  }
  if (facts.lines.empty()) {
    const PictureRecipe read = recipe_of_metadata(metadata);
    if (read.recipe) {
      facts.json = {{"source", name(read.source)}, {"recipe", to_json(*read.recipe)}, {"notes", read.notes}};
      facts.lines.push_back(to_json(*read.recipe).dump(2));
      for (const std::string& note : read.notes) facts.lines.push_back("note: " + note);
    }
  }
  if (facts.lines.empty()) {
    throw Error(ErrorCode::not_found, "\"{}\" carries no recipe", file.string())
        .with("found", "neither a recipe nor A1111's parameters nor a graph of ComfyUI");
  }
  return facts;
}

Facts compare_pictures(const fs::path& a, const fs::path& b) {
  const media::Image8 first = read_8bit(a);
  const media::Image8 second = read_8bit(b);
  if (!first.same_size(second) || first.channels() != second.channels()) {
    throw Error(ErrorCode::usage, "cannot compare pictures of different sizes")
        .with("found", fmt::format("{}x{}x{}", first.width(), first.height(), first.channels()))
        .with("expected", fmt::format("{}x{}x{}", second.width(), second.height(), second.channels()));
  }
  const double psnr = media::psnr(first, second);
  const int largest = media::max_difference(first, second);
  const bool equal = largest == 0;
  return {.json = {{"equal", equal},
                   {"psnr", std::isfinite(psnr) ? Json(psnr) : Json()},
                   {"max_difference", largest}},
          .lines = {equal ? "equal"
                          : fmt::format("PSNR {:.2f} dB, largest difference {} of 255", psnr, largest)}};
}

Facts measure_seam(const fs::path& file, const std::string& axes, double limit) {
  if (axes != "x" && axes != "y" && axes != "xy") {
    throw Error(ErrorCode::usage, "cannot measure the axes \"{}\"", axes).with("expected", "x, y or xy");
  }
  const media::TilingSeam seam = media::tiling_seam(read_8bit(file));
  Facts facts{.json = Json::object(), .lines = {}};
  for (const char axis : axes) {
    const media::AxisSeam& side = axis == 'x' ? seam.x : seam.y;
    facts.json[std::string(1, axis)] = {
        {"ratio", side.ratio}, {"wrap", side.wrap}, {"typical", side.typical}, {"beside", side.beside}};
    facts.lines.push_back(
        fmt::format("seam {} {:.2f} (1.0 is as smooth as the picture itself)", axis, side.ratio));
    if (limit > 0 && side.ratio > limit) {
      throw Error(ErrorCode::limit_exceeded, "the texture \"{}\" has a seam", file.string())
          .with("found", fmt::format("{} {:.2f}", axis, side.ratio))
          .with("expected", fmt::format("at most {}", limit));
    }
  }
  return facts;
}

Facts list_samplers() {
  Facts facts{.json = {{"samplers", Json::array()}, {"schedules", Json::array()}}, .lines = {"samplers"}};
  for (const sampling::SamplerEntry& entry : sampling::samplers()) {
    facts.json["samplers"].push_back({{"name", entry.name},
                                      {"description", entry.description},
                                      {"stochastic", entry.has(sampling::kStochastic)},
                                      {"aliases", entry.aliases}});
    facts.lines.push_back(fmt::format("  {:<12} {}", entry.name, entry.description));
  }
  facts.lines.push_back("schedules");
  for (const std::string& schedule : sampling::schedule_names()) {
    facts.json["schedules"].push_back(schedule);
    facts.lines.push_back("  " + schedule);
  }
  return facts;
}

Facts show_tokens(const std::string& prompt, const std::string& dialect, int steps) {
  const text::ClipTokenizer& tokenizer = text::ClipTokenizer::standard();
  const text::PromptOptions options{.dialect = parse_dialect(dialect), .steps = steps};
  const text::ParsedPrompt parsed = text::parse_prompt(prompt, tokenizer, options);
  const text::TokenCount count = text::count_tokens(parsed, options);
  Facts facts{.json = {{"tokens", count.tokens}, {"capacity", count.capacity}, {"parts", Json::array()}},
              .lines = {fmt::format("{} tokens of {}", count.tokens, count.capacity)}};
  for (const text::PromptPart& part : parsed.parts) {
    Json variants = Json::array();
    for (const text::PromptVariant& variant : part.variants) {
      Json chunks = Json::array();
      for (const text::Chunk& chunk : variant.chunks) {
        Json tokens = Json::array();
        std::string line;
        for (const text::PromptToken& token : chunk.tokens) {
          const int ids[] = {token.id};
          const std::string word = tokenizer.decode(ids);
          tokens.push_back({{"id", token.id}, {"text", word}, {"weight", token.weight}});
          line += token.weight == 1 ? word + " " : fmt::format("{}:{:.6g} ", word, token.weight);
        }
        chunks.push_back(tokens);
        facts.lines.push_back("  " + line);
      }
      variants.push_back({{"text", variant.text}, {"chunks", chunks}});
    }
    facts.json["parts"].push_back({{"weight", part.weight}, {"variants", variants}});
  }
  if (!parsed.truncated.empty()) {
    facts.json["truncated"] = parsed.truncated;
    facts.lines.push_back("left out: " + parsed.truncated);
  }
  return facts;
}

}  // namespace maquette::app
