// Who may do what: one table of roles and actions. Roles are given for one show or for all of them; a person
// has the rights of all roles they have.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace maquette::production {

enum class Role { artist, art_director, technician, trainer, auditor, producer, administrator };

enum class Action {
  show_read,         // everything in a show, pictures included
  show_create,       // new shows
  show_edit,         // a show's settings, statuses, types
  structure_edit,    // sequences, shots, assets, casting
  task_edit,         // tasks, briefs, references, assignments
  comment_write,     // comments, also those that set a status
  status_any,        // statuses that artists may not set
  take_file,         // pictures brought in or painted; canvases
  take_generate,     // jobs
  take_mark,         // stars and verdicts
  take_approve,      // the one approved take of a task
  take_withdraw,     // takes of others (their own: whoever may file)
  take_purge,        // freeing disk space
  annotation_write,  // drawings on takes
  playlist_edit,
  link_create,    // links for guests
  job_manage,     // jobs of others: cancel, retry, priority
  library_read,   // models and samplers
  library_edit,   // which role may use which model
  register_edit,  // what is known of models, adapters and data sets
  rights_read,    // registers, profiles, consents, the gate's answer
  rights_edit,    // profiles, watched names, notices, consents, clearances
  person_read,    // names and roles
  person_edit,    // accounts and roles
  event_read,     // what happened
  delivery_make,
  studio_check,  // doctor
  studio_backup,
  token_own  // API tokens for oneself, one's own name and password
};

std::string_view name(Role role);      // "art-director"
std::string_view name(Action action);  // "take.approve"
std::span<const Role> all_roles();
std::span<const Action> all_actions();
// Throws Error(usage) naming the roles there are.
Role role_named(std::string_view name);
Action action_named(std::string_view name);

bool may(Role role, Action action);

// A person with their roles, as rules see them.
struct Caller {
  std::string person_id;
  std::string login;
  std::string name;
  std::map<std::string, std::set<Role>> roles;  // by show id; "": in every show
  std::set<Action> scope;                       // of an API token; empty: all
  // The first role in the table's order that may do this in the show ("": outside of shows, or in any show at
  // all where `any_show`); none: not allowed.
  std::optional<Role> role_for(Action action, std::string_view show_id) const;
  bool may_somewhere(Action action) const;
};

// Throws Error(refused) naming the roles that may.
Role require(const Caller& caller, Action action, std::string_view show_id);

}  // namespace maquette::production
