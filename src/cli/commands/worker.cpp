// maquette worker: makes pictures for the process that started it.
#include "app/worker.h"

#include "app/session.h"
#include "cli/commands.h"

namespace maquette::cli {

std::function<void()> worker(CLI::App& app) {
  auto threads = std::make_shared<int>(0);
  app.add_option("--threads", *threads, "how many threads to use")->type_name("N");
  return [threads] {
    if (*threads > 0) app::set_threads(*threads);
    app::serve_jobs();
  };
}

}  // namespace maquette::cli
