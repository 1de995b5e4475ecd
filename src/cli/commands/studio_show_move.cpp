#include <memory>

#include "app/studio/show_move.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/studio_commands.h"

namespace maquette::cli {

std::function<void()> show_move(CLI::App& app) {
  struct Arguments {
    StudioArguments studio;
    std::string as, show, to;
  };
  auto a = std::make_shared<Arguments>();
  app.add_option("SHOW", a->show, "code or id of the show")->required();
  app.add_option("FOLDER", a->to, "the new one; it must not be there, or be empty")->required();
  add_json_flag(app);
  add_studio_options(app, a->studio);
  add_as_option(app, a->as);
  return [a] {
    const app::StudioOptions options = studio_options(a->studio);
    require_studio(options);
    app::Studio studio(options);
    const Json answer = app::move_show(studio, caller_of(studio, a->as), a->show, a->to);
    json_output() ? print_json(answer) : print_line(readable(answer));
  };
}

}  // namespace maquette::cli
