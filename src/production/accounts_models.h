// Model limits: which models and adapters a role may use in a show. A role without a line may use all of
// them; somebody with several roles may use what any of these may, as far as the role may generate at all.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "db/database.h"
#include "production/permissions.h"

namespace maquette::production {

using ModelLimits = std::map<Role, std::set<std::string>>;

ModelLimits model_limits(db::Connection& c, const std::string& show_id);
// model: as the library names it ("starter", "sd15.safetensors").
bool may_use_model(const ModelLimits& limits, const Caller& caller, std::string_view show_id,
                   const std::string& model);

}  // namespace maquette::production
