#include <memory>

#include "app/studio/replay.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/studio_commands.h"

namespace maquette::cli {

namespace {

struct ReplayArguments {
  StudioArguments studio;
  std::string as;
  app::ReplayRequest request;
};

void print_answer(const Json& answer) {
  if (json_output()) return print_json(answer);
  const bool bytes = answer.at("same_bytes");
  const bool pixels = answer.at("same_pixels");
  print_line(bytes    ? "the same picture, byte for byte"
             : pixels ? "the same picture, pixel for pixel; what the files say about their making differs"
                      : fmt::format("another picture: {:.2f} % of the pixels differ",
                                    100 * answer.at("pictures").value("changed_share", 1.0)));
  for (const Json& change : answer.at("environment"))
    print_line(fmt::format("  {}: then {}, now {}", change["name"].get<std::string>(), change["then"].dump(),
                           change["now"].dump()));
}

}  // namespace

std::function<void()> take_replay(CLI::App& app) {
  auto a = std::make_shared<ReplayArguments>();
  app.add_option("TAKE", a->request.take, "id, or TASK/vNNN/tNN")->required();
  app.add_option("--out", a->request.out, "keep the new picture (PNG)");
  app.add_option("--threads", a->request.threads, "threads; 0: all of the machine")
      ->check(CLI::Range(0, 1024));
  add_json_flag(app);
  add_studio_options(app, a->studio);
  add_as_option(app, a->as);
  return [a] {
    const app::StudioOptions options = studio_options(a->studio);
    require_studio(options);
    app::Studio studio(options);
    a->request.progress = show_progress;
    const Json answer = app::replay_take(studio, caller_of(studio, a->as), a->request);
    print_answer(answer);
    if (!answer.at("same_pixels").get<bool>())
      throw Error(ErrorCode::limit_exceeded, "the take could not be made again as it was")
          .hint("another processor or version rounds differently; the lines above say what changed");
  };
}

}  // namespace maquette::cli
