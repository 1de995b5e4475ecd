// Routes: which operation a method and a path mean, and the arguments that the request gives it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/studio/operation.h"
#include "server/http_message.h"

namespace maquette::server {

struct Route {
  const app::Operation* operation = nullptr;  // null: there is none
  std::map<std::string, std::string> values;  // of the path's parameters, decoded
  std::vector<std::string> methods;           // that the path has, where this method is not among them
};

// path: below /api/v1, percent-encoded; each {parameter} stands for one segment, so that a "/" of a reference
// is written "%2F". Where a word and a parameter both fit, the word is meant. Throws BadRequest.
Route find_route(std::string_view method, std::string_view path);

// Throws Error(usage) where a text of it holds U+0000: PostgreSQL cannot keep it, and nobody means it.
void refuse_zeros(const Json& value);

// Throws Error(usage) where an object has other fields than these.
void refuse_unknown(const Json& object, std::span<const std::string_view> names);

// Path, query and body values in the kinds of the parameters. Bodies are JSON objects, except where the
// operation takes a file: then all values stand in the address. Throws Error(usage), BadRequest.
Json read_arguments(const app::Operation& operation, const Route& route, Request& request);

}  // namespace maquette::server
