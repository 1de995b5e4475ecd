// References begin with the code of their show, so that this alone is looked at; ids are looked up in the
// table of their kind.
#include "app/studio/visible.h"

#include "app/studio/studio.h"
#include "base/identifiers.h"

namespace maquette::app {

namespace {

// Arguments that name things of shows. `what`, `longest`: as the message says for what is not found.
struct Named {
  std::string_view argument;
  std::string_view what;
  std::string_view question;  // the show of an id
  size_t longest = 200;
};

constexpr std::string_view kOfEntity = "SELECT show_id FROM entities WHERE id = :i";
constexpr std::string_view kOfTake = "SELECT show_id FROM takes WHERE id = :i";

constexpr Named kNamed[] = {
    {"show", "show", "SELECT id AS show_id FROM shows WHERE id = :i"},
    {"entity", "shot or asset", kOfEntity},
    {"asset", "shot or asset", kOfEntity},
    {"task", "task", "SELECT show_id FROM tasks WHERE id = :i"},
    {"take", "take", kOfTake},
    {"other", "take", kOfTake},
    {"takes", "take", kOfTake},
    {"playlist", "playlist", "SELECT show_id FROM playlists WHERE id = :i", 80},
    {"annotation", "drawing",
     "SELECT t.show_id FROM annotations a JOIN takes t ON t.id = a.take_id WHERE a.id = :i", 80},
    {"link", "link",
     "SELECT p.show_id FROM share_links l JOIN playlists p ON p.id = l.playlist_id WHERE l.id = :i", 80},
    {"job", "job", "SELECT show_id FROM jobs WHERE id = :i", 80},
};

// A take of another, or a shot or asset below another.
constexpr Named kParentTake = {"parent", "take", kOfTake};
constexpr Named kParentEntity = {"parent", "shot or asset", kOfEntity};

bool has_role_in(const production::Caller& caller, const std::string& show_id) {
  for (const std::string& show : {std::string(), show_id}) {
    const auto held = caller.roles.find(show);
    if (held != caller.roles.end() && !held->second.empty()) return true;
  }
  return false;
}

Error missing(std::string_view what, std::string_view reference, size_t longest = 200) {
  return Error(ErrorCode::not_found, "there is no {} \"{}\"", what, reference.substr(0, longest));
}

void require_visible_thing(db::Connection& c, const production::Caller& caller, const Named& named,
                           const std::string& reference) {
  if (is_uuid(reference)) {
    const auto row = c.first(named.question, {{"i", reference}});
    if (!row || !has_role_in(caller, row->text("show_id")))
      throw missing(named.what, reference, named.longest);
    return;
  }
  // Without "/" it names nothing, or a thing of a show that is asked for beside it.
  if (named.argument == "show") return require_visible_show(c, caller, reference);
  if (const size_t slash = reference.find('/'); slash != reference.npos)
    require_visible_show(c, caller, std::string_view(reference).substr(0, slash));
}

}  // namespace

void require_visible_show(db::Connection& c, const production::Caller& caller, std::string_view reference) {
  if (has_role_in(caller, "")) return;
  const std::string text(reference);
  const auto row = c.first("SELECT id FROM shows WHERE code = :r OR id = :r2", {{"r", text}, {"r2", text}});
  if (!row || !has_role_in(caller, row->text("id"))) throw missing("show", reference);
}

void require_visible(const Call& call) {
  if (has_role_in(call.caller, "")) return;
  const db::Lease c = call.studio.database().connect();
  const auto look = [&](const Named& named) {
    const auto value = call.arguments.find(named.argument);
    if (value == call.arguments.end()) return;
    if (value->is_string() && !value->get_ref<const std::string&>().empty())
      require_visible_thing(*c, call.caller, named, *value);
    if (!value->is_array()) return;
    for (const Json& each : *value) {
      if (each.is_string()) require_visible_thing(*c, call.caller, named, each);
    }
  };
  for (const Named& named : kNamed) look(named);
  // Takes have parents where a task or a take is asked for, shots and assets elsewhere.
  look(call.has("task") || call.has("take") ? kParentTake : kParentEntity);
}

}  // namespace maquette::app
