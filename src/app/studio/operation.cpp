#include "app/studio/operation.h"

#include <algorithm>

#include "app/studio/operations.h"
#include "app/studio/studio.h"
#include "base/text.h"

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
                             people_operations(), event_operations(), exchange_operations()}) {
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

namespace {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::text: return "a text";
    case Kind::integer: return "a whole number";
    case Kind::number: return "a number";
    case Kind::flag: return "true or false";
    case Kind::json: return "an object";
    case Kind::list: return "a list of texts";
  }
  return "";
}

bool is_of(const Json& value, Kind kind) {
  switch (kind) {
    case Kind::text: return value.is_string();
    case Kind::integer: return value.is_number_integer();
    case Kind::number: return value.is_number();
    case Kind::flag: return value.is_boolean();
    case Kind::json: return value.is_object() || value.is_array();
    case Kind::list:
      return value.is_array() &&
             std::ranges::all_of(value, [](const Json& item) { return item.is_string(); });
  }
  return false;
}

constexpr size_t kLongestText = 200'000;

void check_value(const Parameter& parameter, const Json& value) {
  if (value.is_null() && !parameter.required) return;
  if (!is_of(value, parameter.kind)) {
    throw Error(ErrorCode::usage, "cannot use the value of \"{}\"", parameter.name)
        .with("found", value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80))
        .with("expected", name_of(parameter.kind));
  }
  if (value.is_string() && value.get_ref<const std::string&>().size() > kLongestText) {
    throw Error(ErrorCode::usage, "the text of \"{}\" is too long", parameter.name)
        .with("found", fmt::format("{} bytes", value.get_ref<const std::string&>().size()))
        .with("expected", fmt::format("at most {}", kLongestText));
  }
}

}  // namespace

Reply run_operation(const Operation& operation, Call& call) {
  if (!call.caller.may_somewhere(operation.action)) production::require(call.caller, operation.action, "");
  for (const auto& [name, value] : call.arguments.items()) {
    const auto known = std::ranges::find(operation.parameters, name, &Parameter::name);
    if (known == operation.parameters.end()) {
      std::vector<std::string_view> names;
      for (const Parameter& parameter : operation.parameters) names.push_back(parameter.name);
      throw Error(ErrorCode::usage, "\"{}\" has no \"{}\"", operation.name, name)
          .with("expected", fmt::format("{}", fmt::join(names, ", ")));
    }
    check_value(*known, value);
  }
  for (const Parameter& parameter : operation.parameters) {
    if (parameter.required && !call.arguments.contains(parameter.name)) {
      throw Error(ErrorCode::usage, "\"{}\" is missing", parameter.name)
          .with("where", operation.name)
          .hint("{}", parameter.help);
    }
  }
  if (operation.takes_file && !call.upload)
    throw Error(ErrorCode::usage, "there is no file").with("where", operation.name);
  Reply reply = operation.run(call);
  if (operation.method != "GET") call.studio.news().wake();
  return reply;
}

}  // namespace maquette::app
