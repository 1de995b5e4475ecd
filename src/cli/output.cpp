#include "cli/output.h"

#include <cstdio>
#include <string>

namespace maquette::cli {

namespace {
bool g_json = false;  // set once, while the arguments are read
}

void add_json_flag(CLI::App& app) { app.add_flag("--json", g_json, "print JSON for programs"); }

bool json_output() { return g_json; }

void print_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void print_json(const Json& json) { print_line(json.dump(-1, ' ', false, Json::error_handler_t::replace)); }

}  // namespace maquette::cli
