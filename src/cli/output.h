// What commands print: text for people, one JSON object per line for programs (--json).
#pragma once

#include <CLI/CLI.hpp>
#include <string_view>

#include "base/json.h"

namespace maquette::cli {

// Adds --json to a command.
void add_json_flag(CLI::App& app);
bool json_output();

void print_line(std::string_view text);
void print_json(const Json& json);

}  // namespace maquette::cli
