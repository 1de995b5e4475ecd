#include "app/studio/handlers.h"

#include "production/references.h"

namespace maquette::app {

db::Row show_of(const Call& call, production::Action action) {
  db::Row show = production::find_show(*call.studio.database().connect(), call.text("show"));
  production::require(call.caller, action, show.text("id"));
  return show;
}

production::PageQuery page_query(const Call& call) {
  constexpr int64_t kMost = 500;
  const int64_t limit = call.integer("limit", 50);
  if (limit < 1 || limit > kMost) {
    throw Error(ErrorCode::usage, "cannot answer with {} lines", limit)
        .with("expected", fmt::format("1 to {}", kMost));
  }
  return {.after = call.text("after"), .limit = static_cast<int>(limit)};
}

std::vector<Parameter> with_paging(std::vector<Parameter> parameters) {
  parameters.push_back({"after", Place::query, Kind::text, "\"next\" of the page before"});
  parameters.push_back({"limit", Place::query, Kind::integer, "lines of a page, 1 to 500"});
  return parameters;
}

Reply list_reply(const std::vector<Json>& items) { return {.body = {{"items", items}, {"next", nullptr}}}; }

Reply document_reply(Json document, bool created) {
  std::optional<int64_t> version;
  if (const auto found = document.find("version"); found != document.end()) version = found->get<int64_t>();
  return {.body = std::move(document), .version = version, .created = created};
}

}  // namespace maquette::app
