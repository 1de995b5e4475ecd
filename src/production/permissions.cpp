#include "production/permissions.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace maquette::production {

namespace {

constexpr Role kRoles[] = {Role::artist,  Role::art_director, Role::technician,   Role::trainer,
                           Role::auditor, Role::producer,     Role::administrator};
constexpr std::string_view kRoleNames[] = {"artist",  "art-director", "technician",   "trainer",
                                           "auditor", "producer",     "administrator"};

struct Rule {
  Action action;
  std::string_view name;
  std::string_view roles;  // a letter for each role in their order, "-" where it may not
};

// Artistic approval is the art director's alone: an administrator who wants it takes that role, and the log
// shows it.
constexpr Rule kRules[] = {
    {Action::show_read, "show.read", "adtmupx"},
    {Action::show_create, "show.create", "-----px"},
    {Action::show_edit, "show.edit", "-----px"},
    {Action::structure_edit, "structure.edit", "-d---px"},
    {Action::task_edit, "task.edit", "-d---px"},
    {Action::comment_write, "comment.write", "adtmupx"},
    {Action::status_any, "status.any", "-d---px"},
    {Action::take_file, "take.file", "adtm--x"},
    {Action::take_generate, "take.generate", "adtm--x"},
    {Action::take_mark, "take.mark", "ad---px"},
    {Action::take_approve, "take.approve", "-d-----"},
    {Action::take_withdraw, "take.withdraw", "-d---px"},
    {Action::take_purge, "take.purge", "-----px"},
    {Action::annotation_write, "annotation.write", "adtm-px"},
    {Action::playlist_edit, "playlist.edit", "ad---px"},
    {Action::link_create, "link.create", "-d---px"},
    {Action::job_manage, "job.manage", "-dt--px"},
    {Action::library_read, "library.read", "adtmupx"},
    {Action::library_edit, "library.edit", "--t---x"},
    {Action::register_edit, "register.edit", "--t--px"},
    {Action::rights_read, "rights.read", "adtmupx"},
    {Action::rights_edit, "rights.edit", "-----px"},
    {Action::person_read, "person.read", "adtmupx"},
    {Action::person_edit, "person.edit", "------x"},
    {Action::event_read, "event.read", "adtmupx"},
    {Action::delivery_make, "delivery.make", "adt--px"},
    {Action::studio_check, "studio.check", "--t-u-x"},
    {Action::studio_backup, "studio.backup", "--t---x"},
    {Action::token_own, "token.own", "adtmupx"},
};

constexpr size_t kActionCount = std::size(kRules);

constexpr std::array<Action, kActionCount> actions_of_rules() {
  std::array<Action, kActionCount> actions{};
  for (size_t i = 0; i < kActionCount; ++i) actions[i] = kRules[i].action;
  return actions;
}
constexpr std::array<Action, kActionCount> kActions = actions_of_rules();

constexpr bool rules_are_in_order() {
  for (size_t i = 0; i < kActionCount; ++i) {
    if (static_cast<size_t>(kRules[i].action) != i || kRules[i].roles.size() != std::size(kRoles))
      return false;
  }
  return true;
}
static_assert(rules_are_in_order());

const Rule& rule(Action action) { return kRules[static_cast<size_t>(action)]; }

}  // namespace

std::string_view name(Role role) { return kRoleNames[static_cast<size_t>(role)]; }
std::string_view name(Action action) { return rule(action).name; }
std::span<const Role> all_roles() { return kRoles; }
std::span<const Action> all_actions() { return kActions; }

Role role_named(std::string_view wanted) {
  const auto found = std::ranges::find(kRoleNames, wanted);
  if (found == std::end(kRoleNames)) {
    throw Error(ErrorCode::usage, "there is no role \"{}\"", wanted)
        .with("expected", fmt::format("{}", fmt::join(kRoleNames, ", ")));
  }
  return kRoles[found - std::begin(kRoleNames)];
}

Action action_named(std::string_view wanted) {
  const auto found = std::ranges::find(kRules, wanted, &Rule::name);
  if (found == std::end(kRules)) throw Error(ErrorCode::usage, "there is no action \"{}\"", wanted);
  return found->action;
}

bool may(Role role, Action action) { return rule(action).roles[static_cast<size_t>(role)] != '-'; }

std::optional<Role> Caller::role_for(Action action, std::string_view show_id) const {
  if (!scope.empty() && !scope.contains(action)) return std::nullopt;
  for (const Role role : kRoles) {
    if (!may(role, action)) continue;
    for (const auto& [show, held] : roles) {
      if ((show.empty() || show == show_id) && held.contains(role)) return role;
    }
  }
  return std::nullopt;
}

bool Caller::may_somewhere(Action action) const {
  return std::ranges::any_of(roles,
                             [&](const auto& entry) { return role_for(action, entry.first).has_value(); });
}

Role require(const Caller& caller, Action action, std::string_view show_id) {
  if (const auto role = caller.role_for(action, show_id)) return *role;
  std::vector<std::string_view> allowed;
  for (const Role role : kRoles) {
    if (may(role, action)) allowed.push_back(name(role));
  }
  std::set<std::string_view> held;
  for (const auto& [show, list] : caller.roles) {
    if (!show.empty() && show != show_id) continue;
    for (const Role role : list) held.insert(name(role));
  }
  throw Error(ErrorCode::refused, "your role does not allow this")
      .with("action", name(action))
      .with("found", held.empty() ? "no role here" : fmt::format("{}", fmt::join(held, ", ")))
      .with("expected", fmt::format("{}", fmt::join(allowed, ", ")))
      .hint("{}", caller.scope.empty() ? "an administrator gives roles"
                                       : "the API token's scopes may leave it out");
}

}  // namespace maquette::production
