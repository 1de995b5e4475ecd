// maquette audit: what a model may have learnt by heart, how diverse pictures are, how a sequence drifts.
#include <algorithm>
#include <memory>

#include "app/generate.h"
#include "app/memorised.h"
#include "app/picture_audits.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/commands/values.h"
#include "cli/output.h"

namespace maquette::cli {

namespace {

struct Arguments {
  std::string recipe_file, model, prompt, negative, references;
  int seeds = 4, width = 0, height = 0;
  double limit = 0, cfg = 0;
  uint64_t seed = 0;
};

// One prompt a line; empty lines are none.
std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> lines;
  for (const std::string& line : split(read_text_file(file).take(), '\n'))
    if (const std::string_view prompt = trim(line); !prompt.empty()) lines.emplace_back(prompt);
  if (lines.empty()) {
    throw Error(ErrorCode::bad_file, "\"{}\" holds no prompts", file).hint("one prompt a line");
  }
  return lines;
}

app::MemorisedRequest request_of(const CLI::App& app, const Arguments& a) {
  app::MemorisedRequest request{.seeds = a.seeds, .limit = a.limit, .progress = show_progress};
  if (!a.recipe_file.empty()) request.recipe = app::read_recipe(a.recipe_file).recipe;
  const auto given = [&](const char* option) { return app.get_option(option)->count() > 0; };
  Recipe& recipe = request.recipe;
  if (given("--model")) recipe.model = FileRef{a.model, ""};
  if (given("--prompt")) recipe.prompt = a.prompt;
  if (given("--negative")) recipe.negative = a.negative;
  if (given("--width")) recipe.width = a.width;
  if (given("--height")) recipe.height = a.height;
  if (given("--cfg")) recipe.cfg = a.cfg;
  if (given("--seed")) recipe.seed = a.seed;
  if (!a.references.empty()) request.references = lines_of(a.references);
  return request;
}

// A command over a set of pictures.
std::function<void()> on_pictures(CLI::App& app,
                                  app::Facts (*measure)(const app::PicturePaths&, const ProgressCallback&)) {
  auto pictures = std::make_shared<std::vector<std::string>>();
  add_json_flag(app);
  app.add_option("PICTURES", *pictures, "files, and folders of them; in the order of the sequence")
      ->required();
  return [pictures, measure] {
    stop_on_interrupt();
    print_facts(measure({pictures->begin(), pictures->end()}, show_progress));
  };
}

}  // namespace

std::function<void()> audit_diversity(CLI::App& app) { return on_pictures(app, app::audit_diversity); }
std::function<void()> audit_drift(CLI::App& app) { return on_pictures(app, app::audit_drift); }

std::function<void()> audit_memorised(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("--recipe", a->recipe_file, "a picture or recipe whose prompt is checked");
  app.add_option("--model", a->model, "checkpoint file or diffusers folder");
  app.add_option("--prompt", a->prompt, "the words to check");
  app.add_option("--negative", a->negative, "what to stay away from");
  app.add_option("--references", a->references,
                 "a text file with one everyday prompt a line, in place of the built-in ones");
  app.add_option("--seeds", a->seeds, "noises that are tried with every prompt")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seed", a->seed, "the first of them");
  app.add_option("--width", a->width, "pixels; the model's own size otherwise");
  app.add_option("--height", a->height, "pixels");
  app.add_option("--cfg", a->cfg, "guidance; must be above 1");
  app.add_option("--limit", a->limit, "fail (exit code 9) above this many deviations");
  return [a, &app] {
    stop_on_interrupt();
    print_facts(app::check_memorised(request_of(app, *a)));
  };
}

}  // namespace maquette::cli
