// Operations: everything that can be asked of a studio, one record each. The HTTP routes, the OpenAPI
// document and the commands of the command line are made from this one table, so that all three do the same.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "production/permissions.h"

namespace maquette::app {

class Studio;

enum class Place { path, query, body };
enum class Kind { text, integer, number, flag, object, array, json, list };  // json: either; list: texts

struct Parameter {
  std::string_view name;
  Place place = Place::body;
  Kind kind = Kind::text;
  std::string_view help;
  bool required = false;
};

// A body that is a file: uploads and imports. The caller has put it on disk, in the studio's spool.
struct Upload {
  std::filesystem::path file;
  std::string name;        // as the sender calls it; empty: unknown
  std::string media_type;  // as the sender says; not to be trusted
};

struct Call {
  Studio& studio;
  const production::Caller& caller;
  Json arguments;  // object: path, query and body values, of the parameters' kinds; null is as good as absent
  std::optional<Upload> upload = {};
  std::optional<int64_t> if_match = {};  // version that the caller has seen
  std::string address = {};              // of the caller, for limits; empty: on this machine's command line

  std::string text(std::string_view name, std::string_view otherwise = "") const;
  std::optional<std::string> optional_text(std::string_view name) const;
  int64_t integer(std::string_view name, int64_t otherwise = 0) const;
  double number(std::string_view name, double otherwise = 0) const;
  bool flag(std::string_view name, bool otherwise = false) const;
  std::vector<std::string> list(std::string_view name) const;
  bool has(std::string_view name) const;
};

struct Reply {
  Json body;                            // null where `file` is set
  std::optional<int64_t> version = {};  // of the resource: its ETag
  std::filesystem::path file = {};      // answer with this file's bytes
  std::string media_type = {};          // of the file
  bool immutable = false;               // named by content: may be kept for ever
  bool passing = false;                 // made for this answer: goes when it was sent
  bool created = false;
};

struct Operation {
  std::string_view name;      // "take approve": words of the command line
  std::string_view method;    // GET, POST, PUT, PATCH, DELETE
  std::string_view path;      // "/takes/{take}/approve", below /api/v1
  production::Action action;  // what the caller's role must allow; handlers ask again where the show decides
  std::string_view summary;
  std::string_view example;  // of the command line
  std::vector<Parameter> parameters;
  bool takes_file = false;
  Reply (*run)(Call& call);
  std::optional<production::Action> others = {};  // in place of `action`, for what belongs to others
};

// All of them; each noun's file adds its own.
std::span<const Operation> operations();
const Operation* find_operation(std::string_view name);

// Error(refused) unless some role of the caller allows the operation somewhere.
void require_somewhere(const production::Caller& caller, const Operation& operation);
// What is wrong with a parameter that the operation does not have.
Error unknown_parameter(const Operation& operation, std::string_view name);

// Checks the arguments against the parameters (unknown names, missing ones, wrong kinds: Error(usage)), that
// some role of the caller allows the action, then runs it.
Reply run_operation(const Operation& operation, Call& call);

}  // namespace maquette::app
