// People of the studio as the server and the command line need them beside the operations.
#pragma once

#include <optional>
#include <string>

#include "app/studio/operation.h"
#include "app/studio/studio.h"

namespace maquette::app {

// {person{id, login, name, language, must_change_password}, roles, permissions, version}: who one is here.
Json session_document(Studio& studio, const production::Caller& caller);

// Somebody else's rights, for the administrator of this machine (--as). Throws Error(not_found).
production::Caller caller_named(Studio& studio, const std::string& login);

// At the first start: a password for the login "admin", told once; nothing where somebody can administer
// already.
std::optional<std::string> first_administrator(Studio& studio);

// Links for guests; people_operations() holds them.
std::vector<Operation> link_operations();

}  // namespace maquette::app
