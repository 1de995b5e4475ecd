// What commands print: text for people, one JSON object per line for programs (--json).
#pragma once

#include <CLI/CLI.hpp>
#include <string_view>

#include "app/inspect.h"
#include "base/json.h"
#include "base/progress.h"

namespace maquette::cli {

// Adds --json to a command.
void add_json_flag(CLI::App& app);
bool json_output();

void print_line(std::string_view text);
void print_json(const Json& json);
// The lines for people, or the JSON.
void print_facts(const app::Facts& facts);

// One line that is written over itself, only where somebody is looking. Answers false after Ctrl-C, where
// stop_on_interrupt was called before.
bool show_progress(const ProgressReport& report);
void stop_on_interrupt();

}  // namespace maquette::cli
