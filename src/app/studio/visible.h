// What somebody sees at all: things of shows in which they have no role are answered like things that do not
// exist, so that nobody finds out by asking which do.
#pragma once

#include "app/studio/operation.h"
#include "db/database.h"

namespace maquette::app {

// Throws Error(not_found) where an argument names a thing of a show that the caller has no role in, or
// nothing, both in the same words. Whoever has a role in every show is not asked.
void require_visible(const Call& call);
// The same of a show alone, by code or id.
void require_visible_show(db::Connection& c, const production::Caller& caller, std::string_view reference);

}  // namespace maquette::app
