#include "app/studio/handlers.h"
#include "app/studio/operations.h"
#include "base/text.h"
#include "production/references.h"
#include "provenance/event_log.h"

namespace maquette::app {

namespace {

using production::Action;

Reply list(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const production::PageQuery page = page_query(call);
  provenance::EventQuery query{.subject_id = call.text("subject"),
                               .action = call.text("action"),
                               .before = parse_integer(page.after).value_or(0),
                               .limit = page.limit + 1};
  if (call.has("show")) query.show_id = production::find_show(*c, call.text("show")).text("id");
  if (call.has("person")) query.person_id = production::find_person(*c, call.text("person")).text("id");
  // Whoever may not see every show asks for one.
  production::require(call.caller, Action::event_read, query.show_id);
  std::vector<Json> items = provenance::events(*c, query);
  Json next;
  if (items.size() > static_cast<size_t>(page.limit)) {
    items.pop_back();
    next = fmt::format("{}", items.back()["seq"].get<int64_t>());
  }
  return {.body = {{"items", items}, {"next", next}}};
}

}  // namespace

std::vector<Operation> event_operations() {
  return {{"event list", "GET", "/events", Action::event_read, "what happened, newest first",
           "maquette event list --show lanterns --action take:",
           with_paging({{"show", Place::query, Kind::text, "only of this show"},
                        {"subject", Place::query, Kind::text, "only of the thing with this id"},
                        {"action", Place::query, Kind::text, "take:approve, or take: for all of takes"},
                        {"person", Place::query, Kind::text, "only of this person"}}),
           false, list}};
}

}  // namespace maquette::app
