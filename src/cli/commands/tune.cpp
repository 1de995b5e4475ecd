// maquette tune: measures kernels on a model, prints what was chosen, or forgets it.
#include "app/tune.h"

#include <algorithm>

#include "app/kernel_table.h"
#include "app/session.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace maquette::cli {

namespace {

struct Arguments {
  std::string model, vae, init, precision = "auto";
  int width = 0, height = 0, threads = 0;
  bool forget = false;
};

void forget(const Arguments& a) {
  if (a.threads > 0) app::set_threads(a.threads);
  const std::string file = app::kernel_table_file().string();
  const bool was_there = app::forget_kernel_table();
  if (json_output()) {
    print_json({{"file", file}, {"forgotten", was_there}});
  } else {
    print_line(was_there ? fmt::format("forgotten: {}", file) : "nothing was remembered");
  }
}

void print_problems(const std::vector<app::TuneReport::Problem>& problems) {
  size_t widest = 7;
  for (const auto& problem : problems) widest = std::max(widest, problem.text.size());
  print_line(fmt::format("{:<{}}  {:<20}  {:<20}  {}", "problem", widest, "default", "chosen", "ratio"));
  for (const auto& problem : problems) {
    print_line(fmt::format("{:<{}}  {:<20}  {:<20}  {:.2f}", problem.text, widest, problem.by_list,
                           problem.fastest, problem.ratio));
  }
}

void print_report(const app::TuneReport& report) {
  if (json_output()) {
    print_json(app::to_json(report));
    return;
  }
  print_problems(report.problems);
  for (const app::TuneReport::Step& step : report.steps) {
    print_line(fmt::format("{}: {} problems measured; a step took {:.3f} s before, {:.3f} s now",
                           name(step.precision), step.measured, step.before, step.after));
    if (step.taken_back) print_line("  together the choices made it slower: the defaults stay");
  }
  print_line(fmt::format("--precision auto computes in {}", name(report.automatic)));
  const auto changed =
      std::ranges::count_if(report.problems, [](const auto& p) { return p.fastest != p.by_list; });
  print_line(fmt::format("{} of {} problems get another kernel; remembered in {}", changed,
                         report.problems.size(), report.file.string()));
}

}  // namespace

std::function<void()> tune(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  CLI::Option* model = app.add_option("--model", a->model, "checkpoint file or diffusers folder");
  app.add_option("--vae", a->vae, "another VAE (or TAESD) than the model's own");
  app.add_option("--init", a->init, "picture, for models that edit one");
  app.add_option("--width", a->width, "pixels, as your pictures have")->check(CLI::Range(8, 16384));
  app.add_option("--height", a->height, "pixels")->check(CLI::Range(8, 16384));
  app.add_option("--precision", a->precision, "f32, bf16, or auto: both, and which of them is the faster");
  app.add_option("--threads", a->threads, "how many threads to use; what is remembered holds for them");
  app.add_flag("--forget", a->forget, "delete what was remembered")->excludes(model);
  constexpr std::pair<const char*, const char*> kNames[] = {
      {"--model", "FILE|DIR"}, {"--vae", "FILE|DIR"},   {"--init", "FILE"}, {"--width", "PIXELS"},
      {"--height", "PIXELS"},  {"--precision", "NAME"}, {"--threads", "N"}};
  for (const auto& [option, value] : kNames) app.get_option(option)->type_name(value);
  return [a] {
    if (a->forget) return forget(*a);
    stop_on_interrupt();
    Recipe recipe;
    recipe.model.path = a->model;
    recipe.vae.path = a->vae;
    recipe.init.path = a->init;
    recipe.width = a->width;
    recipe.height = a->height;
    recipe.precision = parse_precision(a->precision);
    print_report(app::tune({.recipe = recipe, .threads = a->threads, .progress = show_progress}));
  };
}

}  // namespace maquette::cli
