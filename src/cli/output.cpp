#include "cli/output.h"

#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace maquette::cli {

namespace {
bool g_json = false;  // set once, while the arguments are read
volatile std::sig_atomic_t g_interrupted = 0;
}  // namespace

void add_json_flag(CLI::App& app) { app.add_flag("--json", g_json, "print JSON for programs"); }

bool json_output() { return g_json; }

void print_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void print_json(const Json& json) { print_line(json.dump(-1, ' ', false, Json::error_handler_t::replace)); }

void print_facts(const app::Facts& facts) {
  if (json_output()) return print_json(facts.json);
  for (const std::string& line : facts.lines) print_line(line);
}

bool show_progress(const ProgressReport& report) {
  if (g_interrupted) return false;
  if (!json_output() && isatty(STDERR_FILENO)) {
    std::fprintf(stderr, "\r\x1b[K%.*s %d/%d", static_cast<int>(report.phase.size()), report.phase.data(),
                 report.done, report.total);
    if (report.seconds_left >= 0) std::fprintf(stderr, ", about %.0f s left", report.seconds_left);
    if (report.total > 0 && report.done == report.total) std::fprintf(stderr, "\r\x1b[K");
  }
  return true;
}

void stop_on_interrupt() {
  std::signal(SIGINT, [](int) { g_interrupted = 1; });
}

}  // namespace maquette::cli
