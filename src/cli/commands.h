// The commands of the program: one file each under commands/, one line each in the table of commands.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>
#include <string_view>

namespace maquette::cli {

struct Command {
  // Words of the command ("model inspect"), in the order of `maquette --help`.
  std::string_view name;
  std::string_view summary;
  std::string_view example;  // shown by --help
  // Adds the options to `app` and returns what runs once they are parsed. Throws Error; never prints errors
  // itself.
  std::function<void()> (*declare)(CLI::App& app);
};

std::span<const Command> commands();

std::function<void()> generate(CLI::App& app);
std::function<void()> model_inspect(CLI::App& app);
std::function<void()> recipe_show(CLI::App& app);
std::function<void()> picture_compare(CLI::App& app);
std::function<void()> picture_seam(CLI::App& app);
std::function<void()> upscale(CLI::App& app);
std::function<void()> preprocess(CLI::App& app);
std::function<void()> mark(CLI::App& app);
std::function<void()> verify(CLI::App& app);
std::function<void()> keys_create(CLI::App& app);
std::function<void()> keys_show(CLI::App& app);
std::function<void()> keys_import(CLI::App& app);
std::function<void()> watermark_add(CLI::App& app);
std::function<void()> watermark_read(CLI::App& app);
std::function<void()> tune(CLI::App& app);
std::function<void()> worker(CLI::App& app);
std::function<void()> serve(CLI::App& app);
std::function<void()> job_run(CLI::App& app);
std::function<void()> restore(CLI::App& app);
std::function<void()> show_move(CLI::App& app);
std::function<void()> take_import(CLI::App& app);
std::function<void()> take_replay(CLI::App& app);
std::function<void()> audit_diversity(CLI::App& app);
std::function<void()> audit_drift(CLI::App& app);
std::function<void()> audit_memorised(CLI::App& app);
std::function<void()> log_verify(CLI::App& app);
std::function<void()> log_prove(CLI::App& app);
std::function<void()> list_samplers(CLI::App& app);
std::function<void()> prompt_tokens(CLI::App& app);

}  // namespace maquette::cli
