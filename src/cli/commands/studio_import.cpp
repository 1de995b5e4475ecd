#include <memory>

#include "app/studio/importing.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/studio_commands.h"

namespace maquette::cli {

namespace {

struct ImportArguments {
  StudioArguments studio;
  std::string as;
  std::vector<std::string> words;
  app::ImportRequest request;
};

std::string text_of(const Json& line, const char* name) {
  return line.contains(name) ? line.at(name).get<std::string>() : "";
}

// "incoming/sh020_bg.png  imported  lanterns/sq010/sh020:background/v001/t03  recipe of a1111"
void print_file(const Json& line) {
  const std::string state = text_of(line, "state");
  if (state == "skipped") return print_line(fmt::format("{}  skipped: no picture", text_of(line, "file")));
  if (state == "failed")
    return print_line(fmt::format("{}  not brought in: {}", text_of(line, "file"), text_of(line, "why")));
  std::string where = text_of(line, "task");
  if (line.contains("take") && line["take"].contains("reference")) where = text_of(line["take"], "reference");
  if (state == "known") where = fmt::format("{}/{}", where, text_of(line["take"], "label"));
  const std::string recipe = text_of(line, "recipe");
  print_line(fmt::format("{}  {}  {}{}", text_of(line, "file"), state, where,
                         recipe == "none" ? "" : fmt::format("  recipe of {}", recipe)));
  if (line.contains("notes")) {
    for (const Json& note : line["notes"]) print_line(fmt::format("  note: {}", note.get<std::string>()));
  }
}

Error summary(const app::ImportResult& result) {
  return Error(result.error->code(), "{} of {} files were not brought in", result.failed, result.files.size())
      .hint("the others were; run it again with what is mended: what is a take already stays as it is");
}

void import(ImportArguments a) {
  const app::StudioOptions options = studio_options(a.studio);
  require_studio(options);
  if (!a.request.show.empty() && !a.request.task.empty())
    throw Error(ErrorCode::usage, "--task and --by-name contradict each other");
  if (a.request.show.empty() && a.request.task.empty()) {
    a.request.task = a.words.front();
    a.words.erase(a.words.begin());
  }
  if (a.words.empty())
    throw Error(ErrorCode::usage, "there is no picture to bring in").hint("name files or folders");
  if (!a.request.parent.empty() && a.request.task.empty())
    throw Error(ErrorCode::usage, "a parent is of one task: --by-name has none");
  app::Studio studio(options);
  const production::Caller caller = caller_of(studio, a.as);
  const std::vector<app::ImportFile> files = app::files_to_import(a.words);
  const bool one = files.size() == 1 && !files[0].in_folder && !a.request.dry_run;
  const app::ImportResult result =
      app::import_pictures(studio, caller, a.request, files, [&](const Json& line) {
        if (!json_output() && !one) print_file(line);
      });
  // One picture that was named answers as every other command does: with the take, or with what is wrong.
  if (one && result.error) throw *result.error;
  if (one && result.files[0]["state"] == "imported") {
    const Json& take = result.files[0]["take"];
    json_output() ? print_json(take) : print_line(readable(take));
    return;
  }
  if (one && !json_output()) print_file(result.files[0]);
  if (json_output()) print_json({{"items", result.files}, {"failed", result.failed}});
  if (result.error) throw summary(result);
}

}  // namespace

std::function<void()> take_import(CLI::App& app) {
  auto a = std::make_shared<ImportArguments>();
  app.add_option("TASK PICTURES", a->words,
                 "the task (unless --task or --by-name is given), then files and folders")
      ->required()
      ->expected(1, 100'000);
  app.add_option("--task", a->request.task, "id, or SHOW/PATH:TYPE");
  app.add_option("--by-name", a->request.show,
                 "the show whose tasks the files are named after: by its template, or by the codes in them");
  app.add_flag("--dry-run", a->request.dry_run, "only say what would become of each file");
  app.add_option("--origin", a->request.origin, "imported, edited or composite")->capture_default_str();
  app.add_option("--title", a->request.title, "as people see it (left out: the file's name)");
  app.add_option("--parent", a->request.parent, "the take that they were made from");
  app.add_option("--relation", a->request.relation,
                 "how: source (left out), init, mask, control, layer, retake");
  add_json_flag(app);
  add_studio_options(app, a->studio);
  add_as_option(app, a->as);
  return [a] { import(*a); };
}

}  // namespace maquette::cli
