// The commands of tamper-evident logs: log verify, log prove.
#include "app/log.h"

#include <memory>

#include "cli/commands.h"
#include "cli/output.h"

namespace maquette::cli {

namespace {

void add_keys(CLI::App& app, app::LogQuestion& question) {
  // CLI11 would take a following FOLDER for a second key.
  app.add_option("--key", question.keys, "public key of the log, NAME+ID+BASE64; may be given several times")
      ->required()
      ->expected(1)
      ->take_all();
}

}  // namespace

std::function<void()> log_verify(CLI::App& app) {
  auto question = std::make_shared<app::LogQuestion>();
  add_json_flag(app);
  app.add_option("FOLDER", question->folder, "the log");
  add_keys(app, *question);
  app.add_option("--older", question->older,
                 "a checkpoint kept from before: the log must begin with all it names");
  app.add_option("--proof", question->proof, "proof of one entry (.tlog-proof), instead of a FOLDER");
  app.add_option("--entry", question->entry, "the bytes of this entry");
  return [question] {
    const app::LogAnswer answer = app::verify_log(*question);
    print_facts(answer.facts);
    if (answer.holds) return;
    const size_t problems = answer.facts.json["problems"].size();
    const std::filesystem::path& what = question->proof.empty() ? question->folder : question->proof;
    throw Error(ErrorCode::bad_file, "\"{}\" does not hold", what.string())
        .with("found", fmt::format("{} problem{}, listed above", problems, problems == 1 ? "" : "s"));
  };
}

std::function<void()> log_prove(CLI::App& app) {
  struct Arguments {
    app::LogQuestion log;
    uint64_t index = 0;
    std::string out;
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("FOLDER", a->log.folder, "the log")->required();
  app.add_option("INDEX", a->index, "number of the entry, from 0")->required();
  add_keys(app, a->log);
  app.add_option("--out", a->out, "the proof; the entry is written beside it")->required();
  return [a] { print_facts(app::prove_log_entry(a->log, a->index, a->out)); };
}

}  // namespace maquette::cli
