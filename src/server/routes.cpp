#include "server/routes.h"

#include <algorithm>

#include "base/text.h"

namespace maquette::server {

using app::Kind;
using app::Operation;
using app::Parameter;
using app::Place;

namespace {

constexpr uint64_t kLargestBody = uint64_t{1} << 20;
constexpr uint64_t kLargestCanvas = uint64_t{8} << 20;

bool is_parameter(std::string_view word) { return word.starts_with('{'); }

// Whether the words of a pattern fit the segments; `exact` counts the words that are no parameters, from the
// left, as digits of a number, so that "/shows/mine" comes before "/shows/{show}".
bool fits(const std::vector<std::string>& words, const std::vector<std::string>& segments, uint64_t& exact) {
  if (words.size() != segments.size()) return false;
  exact = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    exact *= 2;
    if (is_parameter(words[i])) {
      if (segments[i].empty()) return false;
    } else if (words[i] == segments[i]) {
      ++exact;
    } else {
      return false;
    }
  }
  return true;
}

struct Pattern {
  const Operation* operation;
  std::vector<std::string> words;
};

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> all = [] {
    std::vector<Pattern> list;
    for (const Operation& operation : app::operations()) {
      list.push_back({&operation, split(operation.path.substr(1), '/')});
    }
    return list;
  }();
  return all;
}

Error wrong_value(const Parameter& parameter, std::string_view found, std::string_view expected) {
  return Error(ErrorCode::usage, "cannot use the value of \"{}\"", parameter.name)
      .with("found", found.substr(0, 80))
      .with("expected", expected);
}

// A value of the address in the kind of its parameter.
Json value_of(const Parameter& parameter, const std::string& text) {
  switch (parameter.kind) {
    case Kind::integer:
      if (const auto number = parse_integer(text)) return *number;
      throw wrong_value(parameter, text, "a whole number");
    case Kind::number:
      if (const auto number = parse_double(text)) return *number;
      throw wrong_value(parameter, text, "a number");
    case Kind::flag:
      if (text == "true" || text == "1" || text.empty()) return true;
      if (text == "false" || text == "0") return false;
      throw wrong_value(parameter, text, "true or false");
    case Kind::object:
    case Kind::array:
    case Kind::json: return parse_json(text, parameter.name).take();
    case Kind::list: return Json::array({text});
    case Kind::text: break;
  }
  return text;
}

const Parameter* find_parameter(const Operation& operation, std::string_view name) {
  const auto found = std::ranges::find(operation.parameters, name, &Parameter::name);
  return found == operation.parameters.end() ? nullptr : &*found;
}

void add_query(const Operation& operation, const Request& request, Json& arguments) {
  for (const auto& [name, text] : parse_query(request.query)) {
    const Parameter* parameter = find_parameter(operation, name);
    const bool fits = parameter && (parameter->place == Place::query ||
                                    (parameter->place == Place::body && operation.takes_file));
    if (!fits) throw app::unknown_parameter(operation, name);
    const Json value = value_of(*parameter, text);
    if (parameter->kind == Kind::list && arguments.contains(name)) {
      arguments[name].push_back(value[0]);
    } else if (!arguments.contains(name)) {
      arguments[name] = value;
    } else {
      throw Error(ErrorCode::usage, "\"{}\" stands twice in the address", name);
    }
  }
}

void add_body(const Operation& operation, Request& request, Json& arguments) {
  if (!request.has_body()) return;
  const bool canvas = operation.path.ends_with("/canvas");
  const std::string text = request.body->all(canvas ? kLargestCanvas : kLargestBody);
  if (text.empty()) return;
  const std::string_view type = request.header("content-type");
  if (lower_ascii(trim(type.substr(0, type.find(';')))) != "application/json") {
    throw BadRequest(415, "cannot read a body of this kind")
        .with("found", type.empty() ? "no content type" : type.substr(0, 80))
        .with("expected", "application/json");
  }
  auto parsed = parse_json(text, "the body of the request");
  if (!parsed)
    throw Error(ErrorCode::usage, "the body of the request is no JSON").with("found", parsed.error().what());
  const Json& body = *parsed;
  if (!body.is_object()) throw Error(ErrorCode::usage, "the body of the request is no JSON object");
  refuse_zeros(body);
  for (const auto& [name, value] : body.items()) {
    const Parameter* parameter = find_parameter(operation, name);
    if (!parameter || parameter->place != Place::body) {
      throw app::unknown_parameter(operation, name);
    }
    arguments[name] = value;
  }
}

}  // namespace

void refuse_zeros(const Json& value) {
  if (value.is_string() && value.get_ref<const std::string&>().find('\0') != std::string::npos)
    throw Error(ErrorCode::usage, "a text holds the character U+0000");
  if (!value.is_structured()) return;
  for (const auto& [name, each] : value.items()) {
    if (value.is_object() && name.find('\0') != name.npos)
      throw Error(ErrorCode::usage, "a name holds the character U+0000");
    refuse_zeros(each);
  }
}

void refuse_unknown(const Json& object, std::span<const std::string_view> names) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(names, name) != names.end()) continue;
    Error error(ErrorCode::usage, "the body has no \"{}\"", name.substr(0, 80));
    error.with("expected", fmt::format("{}", fmt::join(names, ", ")));
    if (const auto meant = did_you_mean(name, std::vector<std::string>(names.begin(), names.end())))
      error.hint("did you mean \"{}\"?", *meant);
    throw error;
  }
}

Route find_route(std::string_view method, std::string_view path) {
  std::vector<std::string> segments = split(path.substr(std::min<size_t>(1, path.size())), '/');
  // Split first, decode then: an escaped "/" belongs to its segment.
  for (std::string& segment : segments) segment = percent_decode(segment, false);
  Route route;
  const Pattern* best = nullptr;
  uint64_t most_exact = 0;
  for (const Pattern& pattern : patterns()) {
    uint64_t exact = 0;
    if (!fits(pattern.words, segments, exact)) continue;
    if (pattern.operation->method != method) {
      route.methods.emplace_back(pattern.operation->method);
    } else if (!best || exact > most_exact) {
      best = &pattern;
      most_exact = exact;
    }
  }
  if (!best) return route;
  route.operation = best->operation;
  for (size_t i = 0; i < segments.size(); ++i) {
    const std::string& word = best->words[i];
    if (is_parameter(word)) route.values[word.substr(1, word.size() - 2)] = segments[i];
  }
  return route;
}

Json read_arguments(const Operation& operation, const Route& route, Request& request) {
  Json arguments = Json::object();
  for (const auto& [name, text] : route.values) {
    const Parameter* parameter = find_parameter(operation, name);
    if (!parameter)
      throw Error(ErrorCode::failed, "the operation \"{}\" does not know its \"{}\"", operation.name, name);
    arguments[name] = value_of(*parameter, text);
  }
  add_query(operation, request, arguments);
  if (!operation.takes_file) add_body(operation, request, arguments);
  return arguments;
}

}  // namespace maquette::server
