// Holds answers of the server against the OpenAPI document: the schema of the address, method and status that
// was asked. Knows the part of JSON Schema that the document uses, and nothing else: a keyword that it does
// not know is a problem, too. Test programs include this, the program does not (tools/check_api has another
// program judge the same answers).
#pragma once

#include <algorithm>
#include <map>
#include <regex>
#include <string>

#include "base/text.h"
#include "server/openapi.h"

namespace maquette::server {

class SchemaCheck {
 public:
  explicit SchemaCheck(const Json& document) : document_(document) {}

  // What is wrong with the value; empty: nothing.
  std::string problem(const Json& schema, const Json& value, const std::string& where = "answer") const {
    for (const auto& [keyword, wanted] : schema.items()) {
      const std::string found = keyword_problem(keyword, wanted, schema, value, where);
      if (!found.empty()) return found;
    }
    return {};
  }

  const Json& resolved(const Json& node) const {
    if (!node.contains("$ref")) return node;
    return document_.at(Json::json_pointer(node["$ref"].get<std::string>().substr(1)));
  }

 private:
  std::string keyword_problem(const std::string& keyword, const Json& wanted, const Json& schema,
                              const Json& value, const std::string& where) const {
    if (keyword == "description" || keyword == "format") return {};
    if (keyword == "$ref") return problem(resolved(schema), value, where);
    if (keyword == "type") {
      return is_of(wanted, value) ? ""
                                  : fmt::format("{}: {} instead of {}", where, shown(value), wanted.dump());
    }
    if (keyword == "enum") {
      const bool known = std::ranges::find(wanted, value) != wanted.end();
      return known ? "" : fmt::format("{}: {} is not one of {}", where, shown(value), wanted.dump());
    }
    if (keyword == "pattern") {
      if (!value.is_string() || matches(value.get<std::string>(), wanted.get<std::string>())) return {};
      return fmt::format("{}: {} does not fit {}", where, shown(value), wanted.dump());
    }
    if (keyword == "anyOf") {
      std::string all;
      for (const Json& choice : wanted) {
        const std::string found = problem(choice, value, where);
        if (found.empty()) return {};
        all += found + "; ";
      }
      return all;
    }
    if (keyword == "required") {
      for (const Json& name : wanted) {
        if (value.is_object() && !value.contains(name.get<std::string>()))
          return fmt::format("{}: no {}", where, name.dump());
      }
      return {};
    }
    if (keyword == "properties") {
      for (const auto& [name, property] : wanted.items()) {
        if (!value.is_object() || !value.contains(name)) continue;
        const std::string found = problem(property, value[name], where + "." + name);
        if (!found.empty()) return found;
      }
      return {};
    }
    if (keyword == "additionalProperties") return additional_problem(wanted, schema, value, where);
    if (keyword == "items") {
      for (size_t i = 0; value.is_array() && i < value.size(); ++i) {
        const std::string found = problem(wanted, value[i], fmt::format("{}[{}]", where, i));
        if (!found.empty()) return found;
      }
      return {};
    }
    return fmt::format("{}: the schema has \"{}\", which nobody checks", where, keyword);
  }

  std::string additional_problem(const Json& wanted, const Json& schema, const Json& value,
                                 const std::string& where) const {
    if (!value.is_object()) return {};
    for (const auto& [name, item] : value.items()) {
      if (schema.contains("properties") && schema["properties"].contains(name)) continue;
      if (wanted == false) return fmt::format("{}: \"{}\" is not documented", where, name);
      const std::string found = problem(wanted, item, where + "." + name);
      if (!found.empty()) return found;
    }
    return {};
  }

  static bool is_of(const Json& wanted, const Json& value) {
    if (wanted.is_array())
      return std::ranges::any_of(wanted, [&](const Json& each) { return is_of(each, value); });
    if (wanted == "string") return value.is_string();
    if (wanted == "integer") return value.is_number_integer();
    if (wanted == "number") return value.is_number();
    if (wanted == "boolean") return value.is_boolean();
    if (wanted == "object") return value.is_object();
    if (wanted == "array") return value.is_array();
    return wanted == "null" && value.is_null();
  }
  static bool matches(const std::string& text, const std::string& pattern) {
    static std::map<std::string, std::regex> known;
    return std::regex_search(text, known.try_emplace(pattern, pattern).first->second);
  }
  static std::string shown(const Json& value) { return value.dump().substr(0, 80); }

  const Json& document_;
};

// What a client got, as far as the document speaks of it.
struct JudgedAnswer {
  std::string method;
  std::string path;  // below /api/v1, without the query
  int status = 0;
  std::string content_type;
  std::string etag;
  Json body;  // of JSON
};

// The document's entry for an address; null where there is none.
inline const Json* documented(const Json& document, const std::string& method, const std::string& path) {
  const std::vector<std::string> segments = split(path.substr(1), '/');
  const Json* best = nullptr;
  size_t most = 0;
  for (const auto& [pattern, methods] : document["paths"].items()) {
    const std::vector<std::string> words = split(pattern.substr(1), '/');
    if (words.size() != segments.size() || !methods.contains(lower_ascii(method))) continue;
    size_t exact = 1;
    for (size_t i = 0; i < words.size() && exact > 0; ++i) {
      if (words[i].starts_with('{')) continue;
      exact = words[i] == segments[i] ? exact + 1 : 0;
    }
    if (exact > most) {
      best = &methods[lower_ascii(method)];
      most = exact;
    }
  }
  return best;
}

// What is wrong with an answer; empty: it is as the document says.
inline std::string problem_of(const JudgedAnswer& answer) {
  static const Json document = openapi_document();
  const SchemaCheck check(document);
  const Json* entry = documented(document, answer.method, answer.path);
  if (!entry) {
    if (answer.status < 400) return "an answer of an address that is not documented";
    return check.problem(document["components"]["schemas"]["error"], answer.body);
  }
  const Json& responses = (*entry)["responses"];
  const std::string exact = std::to_string(answer.status), all = exact.substr(0, 1) + "XX";
  if (!responses.contains(exact) && !responses.contains(all))
    return fmt::format("the status {} is not documented", answer.status);
  const Json& response = check.resolved(responses[responses.contains(exact) ? exact : all]);
  const bool tagged = response.contains("headers") && response["headers"].contains("ETag");
  if (tagged == answer.etag.empty()) return tagged ? "there is no ETag" : "the ETag is not documented";
  if (!response.contains("content")) return answer.body.is_null() ? "" : "a body that is not documented";
  const std::string type(
      trim(std::string_view(answer.content_type).substr(0, answer.content_type.find(';'))));
  const Json& content = response["content"];
  if (content.contains("image/*") && type.starts_with("image/")) return {};
  if (!content.contains(type)) return fmt::format("the content type \"{}\" is not documented", type);
  return type == "application/json" ? check.problem(content[type]["schema"], answer.body) : "";
}

}  // namespace maquette::server
