// Shows: their settings, statuses and types.
#pragma once

#include "production/change.h"

namespace maquette::production {

struct NewShow {
  std::string code;
  std::string name;
  std::string root;  // relative to the studio's folder, or absolute; empty: "shows/<code>"
  Json settings = Json::object();
};

// What a show's settings may hold, with their values where nothing is said.
//   width, height    the delivered picture, in pixels
//   overscan         share of the picture painted beyond each edge
//   fps              frames a second
//   path_template    names of delivered files (path_template.h)
//   max_retakes      cap on retakes of a task; 0: none
//   color_config     an OpenColorIO configuration; empty: the built-in one
//   quotas           pictures that a person may have waiting, by role; roles not named: jobs.h
const Json& default_settings();

// With the statuses Todo, WIP, Waiting For Approval, Retake, Done and Ready, and types for painters. Returns
// the id. Throws Error(usage, conflict).
std::string create_show(const Change& change, const NewShow& show);

struct ShowUpdate {
  std::optional<std::string> name, root, status;
  Json settings;  // only what changes, null: as if nothing had been said; null at all: nothing changes
  std::optional<int64_t> seen_version;
};
void update_show(const Change& change, const db::Row& show, const ShowUpdate& update);

Json show_document(db::Connection& c, const db::Row& show, bool with_counts);

Json status_document(const db::Row& status);
// table: task_types or asset_types
Json type_document(const db::Row& type, std::string_view table);
std::vector<Json> statuses(db::Connection& c, std::string_view show_id);

// Adds a status, or changes one (`fields` as in status_document). A show keeps one default and at least one
// that is done.
std::string create_status(const Change& change, const db::Row& show, const Json& fields);
void update_status(const Change& change, const db::Row& show, const db::Row& status, const Json& fields);
std::string create_task_type(const Change& change, const db::Row& show, const Json& fields);
std::string create_asset_type(const Change& change, const db::Row& show, const Json& fields);

}  // namespace maquette::production
