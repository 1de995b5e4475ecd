#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "app/studio/answers.h"
#include "app/studio/people.h"
#include "app/studio/spool_copy.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/studio_commands.h"

namespace maquette::cli {

using app::Kind;
using app::Operation;
using app::Parameter;
using app::Place;

namespace {

struct OperationArguments {
  StudioArguments studio;
  std::string as, out, file;
  int64_t if_version = 0;
  std::vector<std::pair<const Parameter*, CLI::Option*>> values;
};

// "task_type" -> "task-type"
std::string option_name(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', '-');
  return text;
}

bool is_word(const Operation& operation, const Parameter& parameter) {
  if (parameter.place == Place::path) return true;
  return parameter.place == Place::body && parameter.required && !operation.takes_file &&
         (parameter.kind == Kind::text || parameter.kind == Kind::integer || parameter.kind == Kind::number);
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

CLI::Option* declare_value(CLI::App& app, const Operation& operation, const Parameter& parameter) {
  const std::string name = option_name(parameter.name);
  const std::string help(parameter.help);
  if (parameter.place == Place::path) return app.add_option(upper(name), help)->required();
  if (is_word(operation, parameter)) return app.add_option(fmt::format("{0},--{0}", name), help);
  if (parameter.kind == Kind::flag) return app.add_flag(fmt::format("--{0},!--no-{0}", name), help);
  CLI::Option* option = app.add_option("--" + name, help);
  if (parameter.kind == Kind::list) option->expected(1, 100'000)->allow_extra_args(false)->delimiter(',');
  return option;
}

// Secrets need not stand on the command line, where others can see them.
std::string secret_or(const std::string& text, std::string_view name) {
  const bool secret = name == "password" || name == "old" || name == "new";
  if (!secret || text != "-") return text;
  std::string line;
  if (!std::getline(std::cin, line)) throw Error(ErrorCode::usage, "the standard input holds no {}", name);
  return line;
}

Json json_value(const std::string& text, std::string_view name) {
  if (!text.starts_with('@')) return parse_json(text, name).take();
  return parse_json(read_text_file(text.substr(1)).take(), text.substr(1)).take();
}

Json value_of(const Parameter& parameter, const std::vector<std::string>& results) {
  const std::string& text = results.back();
  const auto wrong = [&](std::string_view expected) {
    return Error(ErrorCode::usage, "cannot use --{}", option_name(parameter.name))
        .with("found", text)
        .with("expected", expected);
  };
  switch (parameter.kind) {
    case Kind::text: return secret_or(text, parameter.name);
    case Kind::integer:
      if (const auto number = parse_integer(text)) return *number;
      throw wrong("a whole number");
    case Kind::number:
      if (const auto number = parse_double(text)) return *number;
      throw wrong("a number");
    case Kind::flag: return text == "true" || text == "1";
    case Kind::object:
    case Kind::array:
    case Kind::json: return json_value(text, parameter.name);
    case Kind::list: return results;
  }
  return nullptr;
}

}  // namespace

void require_studio(const app::StudioOptions& options) {
  if (!options.database.empty() || fs::exists(options.folder / "studio.db")) return;
  throw Error(ErrorCode::not_found, "there is no studio here")
      .with("where", fs::absolute(options.folder).string())
      .hint("--studio FOLDER or MAQUETTE_STUDIO says where it is; \"maquette show create\" makes one");
}

production::Caller caller_of(app::Studio& studio, const std::string& as) {
  return as.empty() ? app::local_caller(studio) : app::caller_named(studio, as);
}

namespace {

void copy_answer(const app::Reply& reply, const std::string& out) {
  std::error_code error;
  fs::copy_file(reply.file, out, fs::copy_options::overwrite_existing, error);
  if (error) throw Error(ErrorCode::failed, "cannot write \"{}\"", out).with("found", error.message());
  if (reply.passing) fs::remove(reply.file, error);
}

void print_reply(const app::Reply& reply, const std::string& out) {
  if (!reply.file.empty()) {
    if (!out.empty()) copy_answer(reply, out);
    const std::string path = out.empty() ? reply.file.string() : out;
    json_output() ? print_json({{"file", path}, {"media_type", reply.media_type}}) : print_line(path);
    return;
  }
  if (json_output()) return print_json(reply.body);
  const std::string text = readable(reply.body);
  if (!text.empty()) print_line(text);
}

void run(const Operation& operation, const OperationArguments& a) {
  const app::StudioOptions options = studio_options(a.studio);
  // Only what begins something makes a studio where there is none: a typing error must not.
  const bool begins = operation.method == "POST" && operation.path.find('{') == operation.path.npos;
  if (!begins) require_studio(options);
  app::Studio studio(options);
  const production::Caller caller = caller_of(studio, a.as);
  app::Call call{.studio = studio, .caller = caller, .arguments = Json::object()};
  for (const auto& [parameter, option] : a.values) {
    if (option->count() > 0)
      call.arguments[std::string(parameter->name)] = value_of(*parameter, option->results());
  }
  if (a.if_version > 0) call.if_match = a.if_version;
  std::optional<app::SpoolCopy> copy;
  if (operation.takes_file) {
    copy.emplace(studio.spool(), a.file);
    call.upload = app::Upload{.file = copy->path(), .name = fs::path(a.file).filename().string()};
  }
  print_reply(app::run_operation(operation, call), a.out);
}

}  // namespace

void add_studio_options(CLI::App& app, StudioArguments& arguments) {
  app.add_option("--studio", arguments.folder,
                 "folder of the studio (default: MAQUETTE_STUDIO, or ./studio)");
  app.add_option(
      "--db", arguments.database,
      "database (default: studio.db in the folder), or postgresql://user@host/name; also MAQUETTE_DB");
}

void add_as_option(CLI::App& app, std::string& login) {
  app.add_option("--as", login,
                 "act with the roles of this person (login); only whoever owns the studio's files can");
}

app::StudioOptions studio_options(const StudioArguments& arguments) {
  const auto given = [](const std::string& text, const char* variable) -> std::string {
    if (!text.empty()) return text;
    const char* value = std::getenv(variable);
    return value ? value : "";
  };
  const std::string folder = given(arguments.folder, "MAQUETTE_STUDIO");
  return {.folder = folder.empty() ? "studio" : folder, .database = given(arguments.database, "MAQUETTE_DB")};
}

std::function<void()> declare_operation(CLI::App& app, const Operation& operation) {
  auto a = std::make_shared<OperationArguments>();
  const auto declare = [&](const auto& wanted) {
    for (const Parameter& parameter : operation.parameters) {
      if (wanted(parameter)) a->values.emplace_back(&parameter, declare_value(app, operation, parameter));
    }
  };
  declare([](const Parameter& p) { return p.place == Place::path; });
  if (operation.takes_file) app.add_option("FILE", a->file, "the file")->required();
  declare([](const Parameter& p) { return p.place != Place::path; });
  add_json_flag(app);
  add_studio_options(app, a->studio);
  add_as_option(app, a->as);
  if (app::answer_of(operation).matches)
    app.add_option("--if-version", a->if_version, "only where this is still the newest version");
  if (operation.method == "GET") app.add_option("--out", a->out, "where the answer is a file: copy it here");
  return [a, &operation] { run(operation, *a); };
}

}  // namespace maquette::cli
