// The studio on the command line: every operation (app/studio/operation.h) is a command, made from the table;
// and `serve`. Where the studio is, and as whom one acts, is said the same way everywhere.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "app/studio/operation.h"
#include "app/studio/studio.h"

namespace maquette::cli {

struct StudioArguments {
  std::string folder;
  std::string database;
};
// --studio (default: MAQUETTE_STUDIO, or ./studio) and --db.
void add_studio_options(CLI::App& app, StudioArguments& arguments);
app::StudioOptions studio_options(const StudioArguments& arguments);
// Throws Error(not_found) where there is none.
void require_studio(const app::StudioOptions& options);

// --as LOGIN; empty: whoever owns the studio's files.
void add_as_option(CLI::App& app, std::string& login);
production::Caller caller_of(app::Studio& studio, const std::string& as);

// Path values become words in their order, a file the word behind them, needed values of the body words that
// may also be named; all others are options.
std::function<void()> declare_operation(CLI::App& app, const app::Operation& operation);

// A reply for people: a list as a table, one resource as lines of "name  value".
std::string readable(const Json& body);

}  // namespace maquette::cli
