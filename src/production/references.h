// References: how people name things on the command line and in addresses, beside ids.
//
//   lanterns                                     a show
//   lanterns/sq010/sh020                         a sequence, shot, asset or episode of it
//   lanterns/sq010/sh020:background              its task of this type
//   lanterns/sq010/sh020:background/v001/t02     a take of the task
//
// Everything throws Error(not_found) that tells what there is instead.
#pragma once

#include <string_view>

#include "db/database.h"

namespace maquette::production {

db::Row find_show(db::Connection& c, std::string_view reference);
db::Row find_entity(db::Connection& c, std::string_view reference);
db::Row find_task(db::Connection& c, std::string_view reference);
db::Row find_take(db::Connection& c, std::string_view reference);
db::Row find_person(db::Connection& c, std::string_view login_or_id);
// By code or id, in a show. table: task_types, task_statuses, asset_types.
db::Row find_type(db::Connection& c, std::string_view table, std::string_view show_id,
                  std::string_view reference);

std::string take_label(int64_t revision, int64_t number);  // "v001/t02"
// "lanterns/sq010/sh020:background"
std::string task_reference(std::string_view show_code, std::string_view entity_path,
                           std::string_view type_code);

std::string task_name(db::Connection& c, const db::Row& task);  // its reference

}  // namespace maquette::production
