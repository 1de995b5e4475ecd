// The commands that look at files: model inspect, recipe, compare, seam, samplers, tokens.
#include "app/inspect.h"

#include <memory>

#include "cli/commands.h"
#include "cli/output.h"

namespace maquette::cli {

namespace {

// A command with one file as its argument.
std::function<void()> on_file(CLI::App& app, const char* what,
                              app::Facts (*look)(const std::filesystem::path&)) {
  auto file = std::make_shared<std::string>();
  add_json_flag(app);
  app.add_option("FILE", *file, what)->required();
  return [file, look] { print_facts(look(*file)); };
}

}  // namespace

std::function<void()> model_inspect(CLI::App& app) {
  return on_file(app, "checkpoint, adapter or diffusers folder", app::inspect_model);
}

std::function<void()> recipe_show(CLI::App& app) {
  return on_file(app, "picture, or recipe as JSON", app::show_recipe);
}

std::function<void()> picture_compare(CLI::App& app) {
  auto files = std::make_shared<std::pair<std::string, std::string>>();
  add_json_flag(app);
  app.add_option("A", files->first, "picture")->required();
  app.add_option("B", files->second, "picture")->required();
  return [files] { print_facts(app::compare_pictures(files->first, files->second)); };
}

std::function<void()> picture_seam(CLI::App& app) {
  struct Arguments {
    std::string file;
    std::string axes = "xy";
    double limit = 0;
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("FILE", a->file, "texture")->required();
  app.add_option("--tile", a->axes, "x, y or xy");
  app.add_option("--limit", a->limit, "fail (exit code 9) above this");
  return [a] { print_facts(app::measure_seam(a->file, a->axes, a->limit)); };
}

std::function<void()> list_samplers(CLI::App& app) {
  add_json_flag(app);
  return [] { print_facts(app::list_samplers()); };
}

std::function<void()> prompt_tokens(CLI::App& app) {
  struct Arguments {
    std::string prompt;
    std::string dialect = "a1111";
    int steps = 20;
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("PROMPT", a->prompt, "the text")->required();
  app.add_option("--dialect", a->dialect, "diffusers, a1111 or comfy");
  app.add_option("--steps", a->steps, "for switches by step")->check(CLI::Range(1, 10000));
  return [a] { print_facts(app::show_tokens(a->prompt, a->dialect, a->steps)); };
}

}  // namespace maquette::cli
