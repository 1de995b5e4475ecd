// maquette: reads the command line, runs one command, and turns an Error into its five-field message and the
// exit code that docs/exit-codes.md lists. One of the three places that catch Error.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/studio_commands.h"

namespace maquette::cli {

namespace {

// Finds or makes the parsers of the words before the last: "model inspect" lives in the parser "model".
CLI::App* parser_of(CLI::App& root, std::string_view name, std::string_view summary) {
  CLI::App* app = &root;
  const std::vector<std::string> words = split(name, ' ');
  for (size_t i = 0; i < words.size(); ++i) {
    const auto same_name = [&](CLI::App* other) { return other->get_name() == words[i]; };
    const std::vector<CLI::App*> found = app->get_subcommands(same_name);
    CLI::App* next = found.empty() ? nullptr : found[0];
    if (!next) {
      next = app->add_subcommand(words[i], i + 1 == words.size() ? std::string(summary) : "");
      next->require_subcommand(i + 1 == words.size() ? 0 : 1);
    }
    app = next;
  }
  return app;
}

void show_example(CLI::App& app, std::string_view example) {
  const std::vector<std::string> examples = split(example, '\n');
  app.footer(
      fmt::format("{}:\n  {}", examples.size() > 1 ? "Examples" : "Example", fmt::join(examples, "\n  ")));
}

// First words that are no commands themselves say what may follow: "show  list, create, change".
void describe_groups(CLI::App& root) {
  const auto any = [](CLI::App*) { return true; };
  for (CLI::App* group : root.get_subcommands(any)) {
    std::vector<std::string> words;
    for (const CLI::App* each : group->get_subcommands(any)) words.push_back(each->get_name());
    if (group->get_description().empty()) group->description(fmt::format("{}", fmt::join(words, ", ")));
  }
}

int report(const Error& error) {
  if (json_output()) {
    Json fields = Json::object();
    for (const auto& [field, value] : error.fields()) fields[field] = value;
    const Json json{{"error",
                     {{"code", name(error.code())},
                      {"what", error.what()},
                      {"fields", fields},
                      {"hint", error.hint_text()}}}};
    print_json(json);
  }
  std::fprintf(stderr, "maquette: %s\n", error.message().c_str());
  return exit_code(error.code());
}

// Wrong arguments look like every other error of the program.
int report(const CLI::ParseError& error) {
  return report(Error(ErrorCode::usage, "{}", error.what()).hint("maquette --help shows the commands"));
}

// What was written, last word first, as CLI11 takes it. "--prompt=" with nothing behind it is an empty value:
// CLI11 would take the next word.
std::vector<std::string> words_of(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool is_empty_value = word.starts_with("--") && word.find('=') == word.size() - 1;
    words.emplace_back(is_empty_value ? word.substr(0, word.size() - 1) : word);
    if (is_empty_value) words.emplace_back();
  }
  std::ranges::reverse(words);
  return words;
}

int run(int argc, char** argv) {
  CLI::App root("Maquette: a generative art department under human control", "maquette");
  root.set_version_flag("--version", "maquette " MAQUETTE_VERSION);
  root.require_subcommand(1);
  root.set_help_all_flag("--help-all", "the options of every command");
  bool quiet = false;
  bool verbose = false;
  root.add_flag("--quiet", quiet, "only warnings and errors on the terminal");
  root.add_flag("--verbose", verbose, "say what is being done, in detail");

  std::map<const CLI::App*, std::function<void()>> actions;
  for (const Command& command : commands()) {
    CLI::App* app = parser_of(root, command.name, command.summary);
    show_example(*app, command.example);
    actions[app] = command.declare(*app);
  }
  for (const app::Operation& operation : app::operations()) {
    const auto own = std::ranges::find(commands(), operation.name, &Command::name);
    if (own != commands().end()) continue;  // more than the operation alone
    CLI::App* app = parser_of(root, operation.name, operation.summary);
    show_example(*app, operation.example);
    actions[app] = declare_operation(*app, operation);
  }
  describe_groups(root);
  try {
    root.parse(words_of(argc, argv));
  } catch (const CLI::CallForHelp& help) {
    return root.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return root.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return root.exit(version);
  } catch (const CLI::ParseError& error) {
    return report(error);
  }
  if (quiet) log::set_level(log::Level::warning);
  if (verbose) log::set_level(log::Level::debug);

  const CLI::App* chosen = &root;
  while (!chosen->get_subcommands().empty()) chosen = chosen->get_subcommands().front();
  actions.at(chosen)();
  return 0;
}

}  // namespace

}  // namespace maquette::cli

int main(int argc, char** argv) {
  using maquette::Error;
  using maquette::ErrorCode;
  try {
    return maquette::cli::run(argc, argv);
  } catch (const Error& error) {
    return maquette::cli::report(error);
  } catch (const std::bad_alloc&) {
    return maquette::cli::report(
        Error(ErrorCode::no_memory, "not enough memory").hint("try a smaller size, or --tile-size 512"));
  } catch (const maquette::Json::exception& error) {
    // A document that parses, but whose values are of other kinds than its readers expect.
    return maquette::cli::report(
        Error(ErrorCode::bad_file, "cannot use a JSON document").with("found", error.what()));
  } catch (const std::exception& error) {
    return maquette::cli::report(Error(ErrorCode::failed, "{}", error.what()));
  }
}
