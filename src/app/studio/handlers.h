// What the operations' functions share.
#pragma once

#include "app/studio/operation.h"
#include "app/studio/studio.h"
#include "production/change.h"

namespace maquette::app {

// Runs `work` in a transaction, as the caller in a role that allows the action in the show. Returns what it
// returns.
template <typename Work>
auto changing(const Call& call, production::Action action, const std::string& show_id, const Work& work) {
  const production::Role role = production::require(call.caller, action, show_id);
  db::Transaction tx(call.studio.database());
  const production::Change change{tx, {call.caller.person_id, std::string(production::name(role))}};
  if constexpr (std::is_void_v<decltype(work(change))>) {
    work(change);
    tx.commit();
  } else {
    auto result = work(change);
    tx.commit();
    return result;
  }
}

inline void require_reading(const Call& call, const std::string& show_id) {
  production::require(call.caller, production::Action::show_read, show_id);
}

// The show that the argument "show" names, if the caller may do this in it.
db::Row show_of(const Call& call, production::Action action = production::Action::show_read);

production::PageQuery page_query(const Call& call);
// "after", "limit": of every list.
std::vector<Parameter> with_paging(std::vector<Parameter> parameters);

inline Reply list_reply(const production::Page& page) { return {.body = page.document()}; }
Reply list_reply(const std::vector<Json>& items);
// A document with "version" as its ETag.
Reply document_reply(Json document, bool created = false);

}  // namespace maquette::app
