#include "app/studio/operation.h"

#include <algorithm>

#include "app/studio/answers.h"
#include "app/studio/operations.h"
#include "app/studio/studio.h"
#include "app/studio/visible.h"
#include "base/hash.h"
#include "base/text.h"
#include "media/unicode.h"

namespace maquette::app {

// --- arguments ---

bool Call::has(std::string_view name) const { return arguments.contains(name); }

std::optional<std::string> Call::optional_text(std::string_view name) const {
  const auto found = arguments.find(name);
  if (found == arguments.end() || found->is_null()) return std::nullopt;
  return found->get<std::string>();
}

std::string Call::text(std::string_view name, std::string_view otherwise) const {
  return optional_text(name).value_or(std::string(otherwise));
}

int64_t Call::integer(std::string_view name, int64_t otherwise) const {
  const auto found = arguments.find(name);
  return found == arguments.end() || found->is_null() ? otherwise : found->get<int64_t>();
}

double Call::number(std::string_view name, double otherwise) const {
  const auto found = arguments.find(name);
  return found == arguments.end() || found->is_null() ? otherwise : found->get<double>();
}

bool Call::flag(std::string_view name, bool otherwise) const {
  const auto found = arguments.find(name);
  return found == arguments.end() || found->is_null() ? otherwise : found->get<bool>();
}

std::vector<std::string> Call::list(std::string_view name) const {
  const auto found = arguments.find(name);
  if (found == arguments.end() || found->is_null()) return {};
  return found->get<std::vector<std::string>>();
}

// --- the table ---

std::span<const Operation> operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> list;
    for (const auto& part : {show_operations(), entity_operations(), task_operations(), take_operations(),
                             file_operations(), review_operations(), job_operations(), library_operations(),
                             people_operations(), event_operations(), exchange_operations(),
                             delivery_operations(), register_operations(), rights_operations()}) {
      list.insert(list.end(), part.begin(), part.end());
    }
    return list;
  }();
  return all;
}

const Operation* find_operation(std::string_view name) {
  const auto found = std::ranges::find(operations(), name, &Operation::name);
  return found == operations().end() ? nullptr : &*found;
}

void require_somewhere(const production::Caller& caller, const Operation& operation) {
  if (caller.may_somewhere(operation.action)) return;
  if (operation.others && caller.may_somewhere(*operation.others)) return;
  production::require(caller, operation.action, "");
}

Error unknown_parameter(const Operation& operation, std::string_view name) {
  std::vector<std::string> names;
  for (const Parameter& parameter : operation.parameters) names.emplace_back(parameter.name);
  Error error(ErrorCode::usage, "\"{}\" has no \"{}\"", operation.name, name.substr(0, 80));
  error.with("expected", names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", ")));
  if (const auto meant = did_you_mean(name, names)) error.hint("did you mean \"{}\"?", *meant);
  return error;
}

// --- what is asked ---

namespace {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::text: return "a text";
    case Kind::integer: return "a whole number";
    case Kind::number: return "a number";
    case Kind::flag: return "true or false";
    case Kind::object: return "an object";
    case Kind::array: return "a list";
    case Kind::json: return "an object or a list";
    case Kind::list: return "a list of texts";
  }
  return "";
}

bool is_of(const Json& value, Kind kind) {
  switch (kind) {
    case Kind::text: return value.is_string();
    case Kind::integer:
      // Above 2^63 - 1 it would come out of the database as another number.
      return value.is_number_integer() && (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
    case Kind::number: return value.is_number();
    case Kind::flag: return value.is_boolean();
    case Kind::object: return value.is_object();
    case Kind::array: return value.is_array();
    case Kind::json: return value.is_structured();
    case Kind::list:
      return value.is_array() &&
             std::ranges::all_of(value, [](const Json& item) { return item.is_string(); });
  }
  return false;
}

constexpr size_t kLongestText = 200'000;

void check_value(const Parameter& parameter, const Json& value) {
  if (!is_of(value, parameter.kind)) {
    throw Error(ErrorCode::usage, "cannot use the value of \"{}\"", parameter.name)
        .with("found", value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80))
        .with("expected", name_of(parameter.kind));
  }
  // Texts of a command line may be any bytes; JSON of HTTP was read as UTF-8.
  if (value.is_string() && !media::is_utf8(value.get_ref<const std::string&>()))
    throw Error(ErrorCode::usage, "the text of \"{}\" is no UTF-8", parameter.name);
  if (value.is_string() && value.get_ref<const std::string&>().size() > kLongestText) {
    throw Error(ErrorCode::usage, "the text of \"{}\" is too long", parameter.name)
        .with("found", fmt::format("{} bytes", value.get_ref<const std::string&>().size()))
        .with("expected", fmt::format("at most {}", kLongestText));
  }
}

void check_arguments(const Operation& operation, const Call& call) {
  for (const auto& [name, value] : call.arguments.items()) {
    const auto known = std::ranges::find(operation.parameters, name, &Parameter::name);
    if (known == operation.parameters.end()) throw unknown_parameter(operation, name);
    check_value(*known, value);
  }
  for (const Parameter& parameter : operation.parameters) {
    if (parameter.required && !call.has(parameter.name)) {
      throw Error(ErrorCode::usage, "\"{}\" is missing", parameter.name)
          .with("where", operation.name)
          .hint("{}", parameter.help);
    }
  }
  if (operation.takes_file && !call.upload)
    throw Error(ErrorCode::usage, "there is no file").with("where", operation.name);
  if (call.if_match && !answer_of(operation).matches) {
    throw Error(ErrorCode::usage, "\"{}\" looks at no version", operation.name)
        .hint("leave If-Match (--if-version) out");
  }
}

void drop_nulls(Json& arguments) {
  for (auto it = arguments.begin(); it != arguments.end();) {
    it = it->is_null() ? arguments.erase(it) : std::next(it);
  }
}

// --- cursors: where a page ended, with a checksum, so that nothing else is taken for one ---

std::string checksum_of(const Operation& operation, std::string_view cursor) {
  return sha256_hex(fmt::format("{}\n{}", operation.name, cursor)).substr(0, 8);
}

void open_cursor(const Operation& operation, Call& call) {
  const std::string given = call.text("after");
  if (given.empty()) return;
  const size_t end = given.rfind('~');
  const std::string cursor = given.substr(0, end);
  if (end == given.npos || given.substr(end + 1) != checksum_of(operation, cursor)) {
    throw Error(ErrorCode::usage, "this is no cursor of this list")
        .with("found", given.substr(0, 80))
        .with("expected", "\"next\" of the page before, as it was");
  }
  call.arguments["after"] = cursor;
}

void close_cursor(const Operation& operation, Reply& reply) {
  if (!reply.body.is_object()) return;
  const auto next = reply.body.find("next");
  if (next == reply.body.end() || !next->is_string()) return;
  const std::string cursor = *next;
  *next = fmt::format("{}~{}", cursor, checksum_of(operation, cursor));
}

// What is not found is answered with what there is instead. Whoever may not read every show must not hear of
// the others that way.
Reply run_without_gossip(const Operation& operation, Call& call) {
  if (call.caller.role_for(production::Action::show_read, "")) return operation.run(call);
  try {
    return operation.run(call);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    throw Error(ErrorCode::not_found, "{}", error.what());
  }
}

}  // namespace

Reply run_operation(const Operation& operation, Call& call) {
  require_somewhere(call.caller, operation);
  drop_nulls(call.arguments);
  check_arguments(operation, call);
  open_cursor(operation, call);
  require_visible(call);
  Reply reply = run_without_gossip(operation, call);
  close_cursor(operation, reply);
  if (operation.method != "GET") call.studio.news().wake();
  return reply;
}

}  // namespace maquette::app
