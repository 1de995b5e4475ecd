// Model limits: which models and adapters a role may use in a show. A role without a line may use all of
// them; somebody with several roles may use what any of these may, as far as the role may generate at all.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "db/database.h"
#include "production/change.h"
#include "production/permissions.h"

namespace maquette::production {

using ModelLimits = std::map<Role, std::set<std::string>>;  // an empty set: none at all

ModelLimits model_limits(db::Connection& c, const std::string& show_id);
// All limits of a show, anew: a role that is not named may use everything. Models are names of the library.
void set_model_limits(const Change& change, const std::string& show_id, const ModelLimits& limits);

// model: as the library names it ("starter", "sd15.safetensors").
bool may_use_model(const ModelLimits& limits, const Caller& caller, std::string_view show_id,
                   const std::string& model);

}  // namespace maquette::production
