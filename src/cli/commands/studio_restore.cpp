#include <memory>

#include "app/studio/archive.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/studio_commands.h"

namespace maquette::cli {

std::function<void()> restore(CLI::App& app) {
  struct Arguments {
    StudioArguments studio;
    std::string folder;
    bool dry_run = false;
  };
  auto a = std::make_shared<Arguments>();
  app.add_option("FOLDER", a->folder, "what \"maquette backup\" made")->required();
  app.add_flag("--dry-run", a->dry_run, "only check that every byte is there");
  add_json_flag(app);
  add_studio_options(app, a->studio);
  return [a] {
    Json answer;
    if (a->dry_run) {
      answer = app::check_archive(a->folder);
    } else {
      app::Studio studio(studio_options(a->studio));
      answer = app::restore(studio, a->folder);
    }
    json_output() ? print_json(answer) : print_line(readable(answer));
  };
}

}  // namespace maquette::cli
